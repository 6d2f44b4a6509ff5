// The contents of the mock's artifacts, by file name: one of every kind that has a preview, and some that have none.
import type { Artifact } from "../../protocol";
import type { MockThread } from "./thread";
import { TurnWriter } from "./thread";

const REPORT = `# Arrivals, week 47

Ships without a time now come **last**. Two of them were shown first since Monday.

| Day | Arrivals | Late |
| --- | ---: | ---: |
| Monday | 41 | 3 |
| Tuesday | 38 | 0 |

> The list is read from \`arrivals.csv\`.

- [x] order
- [ ] berths
`;

const CODE = `// How long a ship lies at its berth.
export interface Stay { ship: string; from: number; to: number }

export function hours(stay: Stay): number {
  return (stay.to - stay.from) / 3_600_000;
}
`;

const PAGE = `<!doctype html><meta charset="utf-8"><title>Tides</title>
<style>body{font:16px system-ui;margin:2rem;color:#1d1d1b}svg{width:100%;height:160px}</style>
<h1>Tides today</h1><svg viewBox="0 0 400 100"><path fill="none" stroke="#1f5fbf" stroke-width="3" d="M0 50 Q50 0 100 50 T200 50 T300 50 T400 50"/></svg>
<p id="said">No script ran.</p><script>
let reached = "nothing";
try { reached = parent.document.title; } catch {}
document.getElementById("said").textContent = "The script ran and reached " + reached + ".";
</script>`;

const DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" viewBox="0 0 640 400"><rect width="640" height="400" fill="#dce8f7"/><path d="M0 260 Q160 220 320 260 T640 260 V400 H0Z" fill="#7fa8d9"/><path d="M220 250h200l-40 60H260z" fill="#b3261e"/><path d="M310 120v130M310 130l80 90h-80z" fill="#fff" stroke="#333" stroke-width="4"/></svg>`;

function table(rows: number): string {
  const ships = ["Aurora", "北辰", "Käte", "\"Old\" Tom, tug", "Sirius"];
  const lines = ["ship,berth,arrival,length m,cargo t,note"];
  for (let i = 0; i < rows; i += 1) {
    const ship = ships[i % ships.length] ?? "";
    lines.push([`"${ship.replace(/"/g, "\"\"")}"`, `N${String(1 + (i % 9))}`, `2026-11-${String(1 + (i % 28)).padStart(2, "0")}`, String(60 + ((i * 37) % 240)), (i * 7919) % 90_000, i % 11 === 0 ? "late" : ""].join(","));
  }
  return lines.join("\n");
}

/** A PDF with `pages` pages of a few words, written by hand. */
function pdf(pages: number): string {
  const objects: string[] = ["<< /Type /Catalog /Pages 2 0 R >>", ""];
  const kids: string[] = [];
  for (let n = 1; n <= pages; n += 1) {
    const page = objects.length + 1;
    const text = `BT /F1 28 Tf 72 720 Td (Harbour report) Tj 0 -44 Td /F1 14 Tf (Page ${String(n)} of ${String(pages)}: ships without a time come last.) Tj ET`;
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> /Contents ${String(page + 1)} 0 R >>`);
    objects.push(`<< /Length ${String(text.length)} >>\nstream\n${text}\nendstream`);
    kids.push(`${String(page)} 0 R`);
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${String(pages)} >>`;
  let file = "%PDF-1.4\n";
  const places = objects.map((object, i) => {
    const at = file.length;
    file += `${String(i + 1)} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const at = file.length;
  return `${file}xref\n0 ${String(objects.length + 1)}\n0000000000 65535 f \n${places.join("")}trailer\n<< /Size ${String(objects.length + 1)} /Root 1 0 R >>\nstartxref\n${String(at)}\n%%EOF\n`;
}

/** What a file of this name holds. */
export function contentOf(name: string, version = 1): string {
  switch (name.slice(name.lastIndexOf(".") + 1)) {
    case "csv":
      return table(20_000);
    case "md":
      return version === 1 ? REPORT : `${REPORT}\nVersion ${String(version)} of this report.\n`;
    case "ts":
      return CODE.repeat(200);
    case "html":
      return PAGE;
    case "svg":
      return DRAWING;
    case "pdf":
      return name.startsWith("broken") ? "this is no PDF" : pdf(12);
    default:
      return "";
  }
}

const MADE: [name: string, mediaType: string, versions: number][] = [
  ["arrivals-report.md", "text/markdown", 3],
  ["arrivals.csv", "text/csv", 1],
  ["stay.ts", "text/plain", 1],
  ["tides.html", "text/html", 1],
  ["harbour.svg", "image/svg+xml", 1],
  ["harbour-report.pdf", "application/pdf", 1],
  ["broken.pdf", "application/pdf", 1],
  ["a-deck-whose-name-is-much-longer-than-any-pane-is-wide-and-then-some-2026-11-20-final-final.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", 1],
];

/** A thread that made one file of every kind. */
export function artifacts(thread: MockThread): void {
  for (const round of [1, 2, 3]) {
    const turn = new TurnWriter(thread);
    turn.user(round === 1 ? "Make one file of every kind." : "Write the report again.");
    for (const [name, mediaType, versions] of MADE) {
      if (versions < round) continue;
      const size = contentOf(name, round).length || 4_812_331;
      const artifact: Artifact = { id: `artifact-${name}`, name, path: `${thread.summary.cwd}/${name}`, mediaType, size, hash: `${name} ${String(round)}`, version: round };
      turn.artifact(artifact);
    }
    turn.say("Done.");
    turn.complete();
  }
}
