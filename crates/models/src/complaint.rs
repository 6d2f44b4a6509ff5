//! Understands what a provider says when it fails: status, error body, header, or event in the stream.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Class, Error};

/// What a provider says when it fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// HTTP status, if that is how it was said.
    pub(crate) status: Option<u16>,
    /// `code` and `type`, joined.
    pub(crate) code: String,
    /// The sentence.
    pub(crate) message: String,
    /// The field it is about.
    pub(crate) param: Option<String>,
}

impl Complaint {
    /// Out of the body of an answer that was no success.
    pub(crate) fn from_body(status: u16, body: &str) -> Self {
        let mut complaint = serde_json::from_str(body).map_or_else(|_| Self::default(), |it| Self::from_json(&it));
        complaint.status = Some(status);
        if complaint.message.is_empty() {
            body.clone_into(&mut complaint.message);
        }
        complaint
    }

    /// Out of the shapes in use: `{"error":{…}}`, `{"error":"…"}`, `{"message":…}`, `{"detail":…}`, or a list of one.
    pub(crate) fn from_json(json: &Value) -> Self {
        let json = json.as_array().and_then(|it| it.first()).unwrap_or(json);
        let error = match json.get("error") {
            Some(error) if !error.is_null() => error,
            _ => json,
        };
        let word = |key: &str| match error.get(key) {
            Some(Value::String(word)) => word.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let sentence = |key: &str| match error.get(key)? {
            Value::String(message) => Some(message.clone()),
            other @ (Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        };
        let message = error
            .as_str()
            .map(str::to_owned)
            .or_else(|| ["message", "detail", "msg"].into_iter().find_map(sentence))
            .unwrap_or_default();
        let param = word("param");
        Self {
            status: error
                .get("code")
                .and_then(Value::as_u64)
                .and_then(|it| u16::try_from(it).ok()),
            code: format!("{} {}", word("code"), word("type")).trim().to_lowercase(),
            message,
            param: (!param.is_empty()).then_some(param),
        }
    }

    /// All that may name a field.
    pub(crate) fn text(&self) -> String {
        let param = self.param.as_deref().map(|it| format!(" '{it}'")).unwrap_or_default();
        format!("{}{param} {}", self.message, self.code)
    }

    /// Its kind, from the most telling sign to the least.
    pub(crate) fn error(&self, provider: &str) -> Error {
        let mut error = Error::new(self.class(), provider).words(self.words());
        error.retry_after = wait_in(&self.message);
        error
    }

    fn words(&self) -> String {
        match self.status {
            Some(status) => format!("HTTP {status}: {}", self.message.trim()),
            None if self.code.is_empty() => self.message.clone(),
            None => format!("{}: {}", self.code, self.message.trim()),
        }
    }

    fn class(&self) -> Class {
        let text = self.text().to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let status = self.status.unwrap_or(0);
        if status >= 500 && status != 501 {
            return Class::Server;
        }
        if says(&[
            "context_length",
            "context length",
            "context window",
            "context size",
            "maximum context",
            "prompt is too long",
            "input is too long",
            "input length",
            "exceeds the available context",
            "maximum prompt length",
        ]) {
            return Class::ContextOverflow;
        }
        if status == 402
            || says(&[
                "insufficient_quota",
                "current quota",
                "usage_limit",
                "billing",
                "insufficient balance",
                "insufficient_balance",
                "credit balance",
                "arrearage",
                "余额",
                "欠费",
            ])
        {
            return Class::Quota;
        }
        if status == 429 || says(&["rate_limit", "rate limit", "too many requests"]) {
            return Class::RateLimited;
        }
        if says(&[
            "content_filter",
            "content_policy",
            "content policy",
            "data_inspection_failed",
            "invalid_prompt",
            "responsibleai",
            "cyber_policy",
        ]) {
            return Class::Refused;
        }
        if matches!(status, 0 | 400 | 403 | 404 | 422)
            && (says(&[
                "model_not_found",
                "model not found",
                "unknown model",
                "invalid model",
                "no such model",
            ]) || (says(&["model"]) && says(&["not found", "does not exist", "not exist", "not a valid"])))
        {
            return Class::NoSuchModel;
        }
        match status {
            401 | 403 => Class::Unauthorized,
            404 | 405 | 501 => Class::NoSuchEndpoint,
            407 => Class::Unreachable,
            408 | 409 | 425 => Class::Server,
            0 if says(&["invalid_request", "invalid request", "unsupported"]) => Class::BadRequest,
            0 if says(&["invalid_api_key", "authentication", "unauthorized"]) => Class::Unauthorized,
            // What fails in the middle of an answer without a known reason is the provider's own failure.
            0 => Class::Server,
            _ => Class::BadRequest,
        }
    }
}

/// `Retry-After`: seconds, or a date measured against the answer's own `Date`.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|it| it.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1_000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text("date")?).ok()?;
    until.duration_since(now).ok()
}

/// "try again in 1.5s", "in 20ms", "in 6m0s", "in 2 minutes".
pub(crate) fn wait_in(message: &str) -> Option<Duration> {
    let lower = message.to_lowercase();
    let after = ["try again in ", "retry in ", "retry after "]
        .iter()
        .find_map(|words| lower.split_once(words))?
        .1;
    let mut seconds = 0.0;
    let mut rest = after;
    let mut any = false;
    loop {
        let digits = rest
            .find(|it: char| !it.is_ascii_digit() && it != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else {
            break;
        };
        let tail = tail.trim_start();
        let letters = tail.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = match unit {
            "ms" | "milliseconds" | "millisecond" => 0.001,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3_600.0,
            _ => break,
        };
        seconds += number * scale;
        any = true;
        rest = tail.trim_start();
    }
    any.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests;
