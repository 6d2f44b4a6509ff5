//! How many tokens well-known models can read, for providers that do not say so themselves.

/// Longer prefixes come first, because the first match counts.
const KNOWN: &[(&str, u64)] = &[
    ("gpt-5-chat", 128_000),
    ("gpt-5", 400_000),
    ("gpt-6", 400_000),
    ("gpt-oss", 131_072),
    ("gpt-4.1", 1_047_576),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_192),
    ("gpt-3.5", 16_385),
    ("o1-mini", 128_000),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4", 200_000),
    ("codex-mini", 200_000),
    ("claude", 200_000),
    ("gemini-1.5-pro", 2_097_152),
    ("gemini", 1_048_576),
    ("deepseek", 128_000),
    ("qwen3-coder-plus", 1_000_000),
    ("qwen3-coder", 262_144),
    ("qwen3-max", 262_144),
    ("qwen3", 131_072),
    ("qwen2.5-coder", 131_072),
    ("qwen2.5", 131_072),
    ("qwen-long", 1_000_000),
    ("qwen-plus", 131_072),
    ("qwen-max", 32_768),
    ("glm-4.6", 200_000),
    ("glm-4.5", 131_072),
    ("glm-5", 200_000),
    ("kimi-k2-thinking", 262_144),
    ("kimi-k2", 131_072),
    ("moonshot-v1-128k", 131_072),
    ("minimax-m2", 204_800),
    ("doubao-seed", 262_144),
    ("ernie-4.5", 131_072),
    ("hunyuan", 262_144),
    ("grok-4-fast", 2_000_000),
    ("grok-4", 262_144),
    ("grok-code", 262_144),
    ("grok-3", 131_072),
    ("llama-4-scout", 10_485_760),
    ("llama-4", 1_048_576),
    ("llama-3", 131_072),
    ("llama3.1", 131_072),
    ("llama3", 8_192),
    ("mistral-large", 131_072),
    ("mistral-medium", 131_072),
    ("mistral-small", 131_072),
    ("codestral", 262_144),
    ("devstral", 262_144),
    ("gemma-3", 131_072),
    ("gemma3", 131_072),
    ("phi-4", 16_384),
    ("demo", 128_000),
];

/// Tokens that a model of this name can read. Vendor prefixes such as `openai/` and tags such as `:latest` do not matter.
#[must_use]
pub fn known(model: &str) -> Option<u64> {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    KNOWN
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .map(|(_, tokens)| *tokens)
}
