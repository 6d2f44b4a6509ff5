// A program as its authors would write it for Codex, with only the path of the binary changed.
// Prints what the SDK made of two turns on one thread, for ../it/sdk.rs to compare.
import { Codex } from '@openai/codex-sdk';

const [binary, baseUrl, workingDirectory, home, image, extra] = process.argv.slice(2);
const codex = new Codex({
  codexPathOverride: binary,
  baseUrl,
  apiKey: 'sdk-key',
  env: { PATH: process.env.PATH, HOME: home, ZSPARK_HOME: home },
  config: { sandbox_workspace_write: { network_access: false } },
});
const thread = codex.startThread({
  model: 'scripted',
  sandboxMode: 'workspace-write',
  workingDirectory,
  skipGitRepoCheck: true,
  modelReasoningEffort: 'low',
  networkAccessEnabled: false,
  webSearchMode: 'disabled',
  approvalPolicy: 'never',
  additionalDirectories: [extra],
  threadSource: 'sdk-test',
});

const first = await thread.run('Make a file.');
const id = thread.id;

const outputSchema = {
  type: 'object',
  properties: { done: { type: 'boolean' } },
  required: ['done'],
  additionalProperties: false,
};
const input = [
  { type: 'text', text: 'Go on.' },
  { type: 'local_image', path: image },
];
const { events } = await thread.runStreamed(input, { outputSchema });
const streamed = [];
for await (const event of events) streamed.push(event);

let refused;
try {
  await codex.startThread({ workingDirectory, model: 'scripted' }).run('Not in a repository.');
} catch (error) {
  refused = error.message;
}
console.log(JSON.stringify({ first, id, streamed, resumed: thread.id, refused }));
