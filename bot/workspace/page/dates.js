/** Slack's date tokens and the times beside messages, in the reader's own zone and by the workspace's clock. */

import { el } from "./dom.js";

const LOCALE = navigator.language.startsWith("en") ? navigator.language : "en-GB";   // the page's words are English
const HALF_A_YEAR = 183 * 86400;
const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

let ahead = 0;   // the workspace's clock may be simulated: seconds it is ahead of the browser's

export function setNow(epoch) { ahead = epoch - Date.now() / 1000; }
export function now() { return Date.now() / 1000 + ahead; }

const write = (date, options) => new Intl.DateTimeFormat(LOCALE, options).format(date);
const time = (date) => write(date, { hour: "2-digit", minute: "2-digit" });
const seconds = (date) => write(date, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function ordinal(day) {
  const ending = day > 3 && day < 21 ? "th" : ["th", "st", "nd", "rd"][day % 10] || "th";
  return `${day}${ending}`;
}

const month = (date, style) => new Intl.DateTimeFormat("en", { month: style }).format(date);
const weekday = (date) => new Intl.DateTimeFormat("en", { weekday: "long" }).format(date);

function year(date) {
  return Math.abs(date / 1000 - now()) < HALF_A_YEAR ? "" : `, ${date.getFullYear()}`;
}

const long = (date) => `${month(date, "long")} ${ordinal(date.getDate())}${year(date)}`;

function number(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** today, yesterday, tomorrow, or null. */
function nearDay(date) {
  const midnight = (d) => Date.UTC(d.getFullYear(), d.getMonth(), d.getDate()) / 86400000;
  const days = midnight(date) - midnight(new Date(now() * 1000));
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] || null;
}

export function ago(unix) {
  const gone = now() - unix;
  if (Math.abs(gone) < 10) return "just now";
  const [unit, size] = STEPS.find(([, step]) => Math.abs(gone) >= step) || STEPS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(-Math.trunc(gone / size), unit);
}

const PLAIN = {
  date_num: number,
  date: long,
  date_short: (date) => `${month(date, "short")} ${date.getDate()}${year(date)}`,
  date_long: (date) => `${weekday(date)}, ${long(date)}`,
  time,
  time_secs: seconds,
  ago: (date) => ago(date / 1000),
};

/** Slack's format string, filled in; an unknown token stays as it was written. */
export function format(unix, pattern) {
  const date = new Date(unix * 1000);
  return pattern.replace(/\{(\w+)\}/g, (whole, token) => {
    const plain = token.replace(/_pretty$/, "");
    if (!(plain in PLAIN)) return whole;
    return (plain !== token && nearDay(date)) || PLAIN[plain](date);
  });
}

/** A time element that keeps itself right: see refresh(). */
export function timeNode(unix, pattern, className = null) {
  const title = write(new Date(unix * 1000), { dateStyle: "full", timeStyle: "long" });
  const iso = new Date(unix * 1000).toISOString();
  return el("time", { datetime: iso, title, class: className, "data-unix": unix, "data-format": pattern },
    format(unix, pattern));
}

/** Rewrites the times whose words have changed ("2 minutes ago", "today"). */
export function refresh(root = document) {
  for (const node of root.querySelectorAll("time[data-format]")) {
    const text = format(Number(node.dataset.unix), node.dataset.format);
    if (node.textContent !== text) node.textContent = text;
  }
}

export const dayKey = (unix) => number(new Date(unix * 1000));

export function dayName(unix) {
  const date = new Date(unix * 1000);
  const near = nearDay(date);
  return near ? near[0].toUpperCase() + near.slice(1) : PLAIN.date_long(date);
}
