// The mock's home: settings, providers, rules and the rest that is not a thread.
import type { ProviderModels, Rule, Settings } from "../../protocol";

export const HOME = "/home/lin";

export interface MockHome {
  settings: Settings;
  rules: Rule[];
  models: ProviderModels[];
}

export function mockHome(query: URLSearchParams): MockHome {
  const configured = query.get("scene") !== "welcome";
  const user = { type: "user", path: `${HOME}/.zspark/config.toml` } as const;
  const factory = { type: "default" } as const;
  const theme = query.get("theme");
  const language = query.get("lang");
  const density = query.get("density");
  const provider = { id: "local", name: "Ollama", baseUrl: "http://localhost:11434/v1", wireApi: "chat", key: { type: "notNeeded" }, builtIn: false } as const;
  const cloud = { id: "acme", name: "Acme AI", baseUrl: "https://api.acme.example/v1", wireApi: "responses", key: { type: "stored", store: "Keychain" }, builtIn: false } as const;
  const demo = { id: "demo", name: "Demo", baseUrl: "demo:", wireApi: "responses", key: { type: "notNeeded" }, builtIn: true } as const;
  return {
    settings: {
      provider: { value: configured ? "acme" : null, origin: user },
      model: { value: configured ? "spark-large" : null, origin: user },
      effort: { value: "medium", origin: factory },
      sandbox: { value: "workspace-write", origin: query.has("managed") ? { type: "managed", path: "/etc/zspark/managed.toml" } : factory },
      approval: { value: "on-request", origin: factory },
      networkAccess: { value: false, origin: factory },
      writableRoots: { value: [], origin: factory },
      language: { value: language === "zh-CN" || language === "en" ? language : "system", origin: factory },
      theme: { value: theme === "dark" || theme === "light" ? theme : "system", origin: factory },
      density: { value: density === "report" || density === "verbose" ? density : "normal", origin: factory },
      providers: configured ? [cloud, provider, demo] : [demo],
      ...(query.has("broken") ? { broken: { code: "configBroken" as const, message: `${HOME}/.zspark/config.toml, line 12: the value of sandbox_mode is not one of those that exist.`, hint: "Write read-only, workspace-write or danger-full-access.", details: "TOML parse error at line 12, column 16" } } : {}),
      recentFolders: configured ? [`${HOME}/code/harbour`, `${HOME}/Documents/2026 年度预算`] : [],
    },
    rules: [
      {
        id: "rule-1", createdMs: Date.now() - 86_400_000 * 3, origin: "person", matched: 14, lastMatchedMs: Date.now() - 3_600_000,
        subject: { type: "commandPrefix", prefix: ["npm", "test"], escalated: false }, effect: "allow", folder: `${HOME}/code/harbour`,
      },
      {
        id: "rule-2", createdMs: Date.now() - 86_400_000 * 9, origin: "person", matched: 0,
        subject: { type: "commandPrefix", prefix: ["git", "push"], escalated: true }, effect: "deny",
      },
    ],
    models: [
      { provider: cloud, models: [{ id: "spark-large", contextWindow: 256_000 }, { id: "spark-small", contextWindow: 128_000 }] },
      { provider, models: [{ id: "qwen3-coder:30b" }, { id: "a-model-with-a-very-long-name-that-somebody-quantised-q4_k_m:latest" }] },
      { provider: demo, models: [{ id: "demo" }] },
    ],
  };
}
