/** Emoji by shortcode, and small drawings of those the cards use, so that a machine without an emoji font shows them. */

import { el, svg } from "./dom.js";
import { PICTURES } from "./pictures.js";

const NAMES = {
  red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢",
  large_blue_circle: "🔵", large_purple_circle: "🟣", white_circle: "⚪", black_circle: "⚫",
  eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔", ballot_box_with_check: "☑", x: "❌",
  warning: "⚠", rotating_light: "🚨", no_entry: "⛔", octagonal_sign: "🛑", construction: "🚧",
  zzz: "💤", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱", alarm_clock: "⏰", clock3: "🕒",
  lightning_cloud: "🌩", thunder_cloud_and_rain: "⛈", zap: "⚡", fire: "🔥", boom: "💥", ocean: "🌊",
  crescent_moon: "🌙", sunny: "☀", sunrise: "🌅", partly_sunny: "⛅", rain_cloud: "🌧",
  bell: "🔔", no_bell: "🔕", mute: "🔇", pager: "📟", telephone_receiver: "📞", phone: "☎", mega: "📣",
  speech_balloon: "💬", memo: "📝", pushpin: "📌", clipboard: "📋", page_facing_up: "📄", bar_chart: "📊",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", mag: "🔍", link: "🔗", calendar: "📅", date: "📅",
  hammer: "🔨", bangbang: "‼", heavy_multiplication_x: "✖", hammer_and_wrench: "🛠", wrench: "🔧", gear: "⚙", robot_face: "🤖", lock: "🔒", key: "🔑", shield: "🛡",
  arrows_counterclockwise: "🔄", repeat: "🔁", leftwards_arrow_with_hook: "↩", double_vertical_bar: "⏸",
  arrow_forward: "▶", black_square_for_stop: "⏹", fast_forward: "⏩", bulb: "💡", question: "❓",
  information_source: "ℹ", grey_question: "❔", point_right: "👉", handshake: "🤝", raised_hand: "✋",
  wave: "👋", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", pray: "🙏", tada: "🎉", seedling: "🌱",
  lighthouse: "🗼", globe_with_meridians: "🌐", fr: "🇫🇷", busts_in_silhouette: "👥", bust_in_silhouette: "👤",
};

const LABELS = Object.fromEntries(Object.entries(NAMES).map(([name, sign]) => [sign, name.replaceAll("_", " ")]));
const DRAWN = new RegExp(`(${Object.keys(PICTURES).join("|")})\uFE0F?`, "u");

/** The nodes of :name:, or null for a word between colons that is no emoji. */
export function emojiByName(name) {
  return Object.hasOwn(NAMES, name) ? [emoji(NAMES[name])] : null;
}

/** A text's nodes, its drawn emoji as pictures. */
export function withEmoji(text) {
  if (!text) return [];
  return text.split(DRAWN).map((piece, index) => (index % 2 ? emoji(piece) : piece)).filter(Boolean);
}

function emoji(sign) {
  const shapes = PICTURES[sign];
  if (!shapes) return el("span", { class: "emoji", role: "img", "aria-label": LABELS[sign] }, sign);
  // The sign itself stays in the text, out of sight: copying and searching a card still find it.
  return el("span", { class: "emoji drawn", role: "img", "aria-label": LABELS[sign] || sign },
    el("span", { class: "unseen" }, sign),
    svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, shapes.map(([tag, props]) => svg(tag, props))));
}
