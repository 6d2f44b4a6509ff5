// Terminal text to plain runs: colours and weight are kept, every other control sequence is dropped.

export interface Run {
  text: string;
  /** A CSS colour. */
  fg?: string;
  bg?: string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
}

type Style = Omit<Run, "text">;

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

// CSI … final byte, OSC … BEL or ST, and two-character escapes. Other control characters but tab and line feed go too.
const CONTROL = /\u001b\[([0-9:;<=>?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\^_()#][0-9A-Za-z]?|[\u0000-\u0008\u000b-\u001f\u007f]/g;

function named(n: number): string | undefined {
  const name = NAMES[n % 8];
  return name === undefined ? undefined : `var(--ansi-${name})`;
}

function indexed(n: number): string | undefined {
  if (n < 16) return named(n);
  if (n > 255) return undefined;
  if (n >= 232) {
    const grey = String((n - 232) * 10 + 8);
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (part: number) => String(part === 0 ? 0 : part * 40 + 55);
  const at = n - 16;
  return `rgb(${level(Math.floor(at / 36))} ${level(Math.floor(at / 6) % 6)} ${level(at % 6)})`;
}

/** Reads `38;5;n` and `38;2;r;g;b`; says how many numbers it took. */
function extended(codes: number[], at: number): [string | undefined, number] {
  if (codes[at + 1] === 5) return [indexed(codes[at + 2] ?? 0), 2];
  if (codes[at + 1] === 2) {
    const [r = 0, g = 0, b = 0] = codes.slice(at + 2, at + 5);
    return [`rgb(${String(r)} ${String(g)} ${String(b)})`, 4];
  }
  return [undefined, 0];
}

function styled(style: Style, parameters: string): Style {
  const codes = parameters === "" ? [0] : parameters.split(/[;:]/).map(Number);
  let next = { ...style };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next = { ...next, bold: undefined, dim: undefined };
    else if (code === 23) next.italic = undefined;
    else if (code === 24) next.underline = undefined;
    else if (code >= 30 && code <= 37) next.fg = named(code - 30);
    else if (code === 39) next.fg = undefined;
    else if (code >= 40 && code <= 47) next.bg = named(code - 40);
    else if (code === 49) next.bg = undefined;
    else if (code >= 90 && code <= 97) next.fg = named(code - 90);
    else if (code === 38 || code === 48) {
      const [colour, took] = extended(codes, i);
      if (code === 38) next.fg = colour;
      else next.bg = colour;
      i += took;
    }
  }
  return next;
}

/** What a terminal shows of a line that was written over with carriage returns. */
function settled(line: string): string {
  const body = line.endsWith("\r") ? line.slice(0, -1) : line;
  return body.slice(body.lastIndexOf("\r") + 1);
}

/** The runs of each line. A style goes on over line breaks. */
export function runs(text: string): Run[][] {
  let style: Style = {};
  return text.split("\n").map((raw) => {
    const line = settled(raw);
    const found: Run[] = [];
    let from = 0;
    const put = (to: number) => {
      if (to > from) found.push({ text: line.slice(from, to), ...style });
    };
    for (const match of line.matchAll(CONTROL)) {
      put(match.index);
      from = match.index + match[0].length;
      if (match[2] === "m") style = styled(style, match[1] ?? "");
    }
    put(line.length);
    return found;
  });
}

export function plain(text: string): string {
  return runs(text).map((line) => line.map((run) => run.text).join("")).join("\n");
}
