//! What some providers do not take, and how their complaint about it is recognised.
//!
//! Everything is sent until a 400 names it; then the request is made again without, and that is remembered for the
//! provider and model while the program runs.

use std::collections::HashSet;

/// A part of a request that can be left out or said in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Feature {
    /// Messages of the role `developer`; `system` takes their place.
    DeveloperRole,
    /// `system` messages after the first place; `user` takes their place.
    LateSystem,
    /// `parallel_tool_calls`.
    ParallelToolCalls,
    /// `strict` in function tools.
    Strict,
    /// `stream_options`, for the usage in the last chunk.
    StreamOptions,
    /// `reasoning` or `reasoning_effort`.
    Effort,
    /// `reasoning.summary`.
    ReasoningSummary,
    /// `prompt_cache_key`.
    PromptCacheKey,
    /// `include`.
    Include,
    /// `store`.
    Store,
    /// `text.format` or `response_format`.
    OutputSchema,
    /// Tools of the type `custom`; functions with one string take their place.
    CustomTools,
    /// The reasoning of former answers.
    ReasoningBack,
    /// The provider's own ids of former entries.
    ItemIds,
    /// Images.
    Images,
    /// Tools at all.
    Tools,
}

impl Feature {
    /// The complaint is about what another provider left in this thread, not about the model.
    pub(crate) fn depends_on_thread(self) -> bool {
        matches!(self, Self::ReasoningBack | Self::ItemIds)
    }
}

/// What a complaint about each says, the most specific first.
const WORDS: &[(Feature, &[&str])] = &[
    (
        Feature::ParallelToolCalls,
        &["parallel_tool_calls", "parallel tool calls"],
    ),
    (Feature::StreamOptions, &["stream_options", "include_usage"]),
    (Feature::PromptCacheKey, &["prompt_cache_key"]),
    (Feature::ReasoningSummary, &["reasoning.summary", "reasoning summar"]),
    (Feature::Effort, &["reasoning_effort", "reasoning.effort"]),
    (Feature::Include, &["include", "encrypted content is not supported"]),
    (
        Feature::ReasoningBack,
        &[
            "reasoning_content",
            "encrypted content",
            "encrypted_content",
            "required following item",
        ],
    ),
    (
        Feature::ReasoningSummary,
        &["'reasoning'", "\"reasoning\"", "`reasoning`", ": reasoning"],
    ),
    (
        Feature::Effort,
        &["'reasoning'", "\"reasoning\"", "`reasoning`", ": reasoning"],
    ),
    (Feature::Store, &["'store'", "\"store\"", "`store`", ": store"]),
    (
        Feature::OutputSchema,
        &["response_format", "text.format", "json_schema"],
    ),
    (
        Feature::Strict,
        &["'strict'", "\"strict\"", "`strict`", ".strict", ": strict"],
    ),
    (
        Feature::CustomTools,
        &[
            "'custom'",
            "\"custom\"",
            "`custom`",
            "custom tool",
            "type custom",
            ": custom",
            "].type",
            "tool type",
        ],
    ),
    (Feature::ItemIds, &["].id"]),
    (Feature::DeveloperRole, &["developer"]),
    (
        Feature::LateSystem,
        &["system message must be", "system role", "system messages"],
    ),
    (
        Feature::Images,
        &[
            "image_url",
            "input_image",
            "image input",
            "images",
            "vision",
            "multimodal",
        ],
    ),
    (
        Feature::Tools,
        &[
            "support tools",
            "support tool",
            "support function",
            "tool use",
            "tool calling",
            "'tools'",
            "\"tools\"",
            ": tools",
        ],
    ),
];

/// The part that a complaint names, among those that the request had.
pub(crate) fn named(complaint: &str, sent: &HashSet<Feature>) -> Option<Feature> {
    let complaint = complaint.to_lowercase();
    WORDS
        .iter()
        .find(|(feature, words)| sent.contains(feature) && words.iter().any(|word| complaint.contains(word)))
        .map(|(feature, _)| *feature)
}
