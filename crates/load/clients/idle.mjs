// Clients that are there and do nothing: so many at each word.
import { heard, say, settings } from "./talk.mjs";
import { open, openAll } from "./stock.mjs";

const { place, prefix, documents } = settings;
let opened = 0;
for (;;) {
  const { open: more } = await heard();
  await openAll(more, (index) => open(place, `${prefix}-${(opened + index) % documents}`));
  opened += more;
  say({ opened });
}
