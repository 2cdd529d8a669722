/** What a half-typed line could become: a command, its subcommands, a person. Pure: text in, suggestions out. */

const MENTION = /(^|\s)@([\w.-]*)$/;
const ADDRESS = /^@([\w.-]+)\s+(.*)$/s;
const COMMAND = /^(\/\S+)\s+(.*)$/s;

/** -> [{label, description, becomes, done}]; `done`: nothing is left to complete, so Enter sends. */
export function suggest(text, { commands, users, inThread }) {
  if (text.includes("\n")) return [];
  if (text.startsWith("/")) return inThread ? [] : slash(text, commands);
  const address = ADDRESS.exec(text);
  const asked = address && commands[0] && isBot(address[1], users);
  const bot = asked ? subcommands(address[2], text.slice(0, text.length - address[2].length), commands[0]) : [];
  return bot.length ? bot : people(text, users);
}

function isBot(name, users) {
  return Object.values(users).some((user) => user.is_bot && user.name.toLowerCase() === name.toLowerCase());
}

function slash(text, commands) {
  const full = COMMAND.exec(text);
  if (full) {
    const known = commands.find((one) => one.command === full[1]);
    return known ? subcommands(full[2], text.slice(0, text.length - full[2].length), known) : [];
  }
  return commands.filter((one) => one.command.startsWith(text)).map((one) => ({
    label: [one.command, one.usage_hint].filter(Boolean).join(" "),
    description: one.description,
    becomes: `${one.command} `,
    done: one.command === text,
  }));
}

/** `ack <alert> [note]`: the words before the first bracket are completed, the rest stays as a reminder. */
function subcommands(typed, before, { suggestions = [] }) {
  const said = typed.toLowerCase();
  return suggestions.flatMap(({ text, description }) => {
    const words = text.split(/[<[(…]/)[0].trim();
    const passed = said === words || said.startsWith(`${words} `);
    if (!passed && !words.startsWith(said)) return [];
    const becomes = passed && said !== words ? before + typed : `${before}${words}${words === text ? "" : " "}`;
    return [{ label: text, description, becomes, done: passed || said === "" }];
  });
}

function people(text, users) {
  const match = MENTION.exec(text);
  if (!match) return [];
  const said = match[2].toLowerCase();
  const before = text.slice(0, text.length - match[2].length);
  const fits = (user) => `${user.name} ${user.real_name}`.toLowerCase().split(/\s+/).some((word) => word.startsWith(said));
  return Object.values(users)
    .filter(fits)
    .map(({ name, real_name: real, title }) => ({
      label: `@${name}`,
      description: [real, title].filter(Boolean).join(" · "),
      becomes: `${before}${name} `,
      done: name.toLowerCase() === said,
    }));
}
