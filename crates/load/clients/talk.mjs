// How a script and the program that started it talk: settings as JSON in the first argument, then lines both ways.
import { createInterface } from "node:readline";

export const settings = JSON.parse(process.argv[2]);

export const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The next line. Ends this process when there will be none. */
export const heard = async () => {
  const { value, done } = await lines.next();
  if (done) process.exit(0);
  return JSON.parse(value);
};
