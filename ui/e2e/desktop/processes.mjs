// What the program costs the machine: the CPU and the memory of its process and of all that it started.
import { readdir, readFile } from "node:fs/promises";

/** Clock ticks a second in `/proc`: 100 on every Linux. */
const TICKS = 100;

/** The process and everything below it: WebKit's processes are its children. */
async function tree(root) {
  const children = new Map();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = await stat(entry);
    if (fields) children.set(fields.parent, [...(children.get(fields.parent) ?? []), Number(entry)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

async function stat(pid) {
  const text = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => undefined);
  // The name before the last bracket may hold anything.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  return fields && { parent: fields[1], ticks: fields[11] + fields[12] };
}

/** Seconds of CPU that all of them have used until now. */
export async function cpuSeconds(root) {
  const stats = await Promise.all((await tree(root)).map(stat));
  return stats.reduce((sum, it) => sum + (it?.ticks ?? 0), 0) / TICKS;
}

/** MiB that each of them held at the most, and together. */
export async function peakMebibytes(root) {
  const peaks = await Promise.all((await tree(root)).map(peakOf));
  return peaks.reduce((sum, it) => sum + it, 0);
}

/** The process that draws the page, if there is one. */
export async function pageProcess(root) {
  for (const pid of await tree(root)) {
    const name = await readFile(`/proc/${String(pid)}/comm`, "utf8").catch(() => "");
    // The kernel keeps 15 letters of a name.
    if (name.startsWith("WebKitWebProces")) return pid;
  }
  return undefined;
}

/** MiB that the page's process held at the most. */
export async function pageMebibytes(root) {
  return peakOf(await pageProcess(root));
}

async function peakOf(pid) {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}
