//! What a file may be called: something that every system can save under, and that reads as what it is.

use unicode_normalization::UnicodeNormalization as _;

/// In bytes; what common file systems take.
const LONGEST: usize = 255;

/// Names that Windows keeps for devices, with or without an ending.
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The name in normal form.
///
/// # Errors
/// It cannot be a file's name; the text says why.
pub fn checked(name: &str) -> Result<String, &'static str> {
    let name: String = name.nfc().collect();
    if name.is_empty() {
        return Err("A file needs a name.");
    }
    if name.len() > LONGEST {
        return Err("A file's name has 255 bytes at most.");
    }
    if name.chars().any(|it| matches!(it, '/' | '\\' | ':')) {
        return Err("A file's name has no folders in it: / \\ and : are not allowed.");
    }
    if name.chars().any(|it| it.is_control() || turns_text(it)) {
        return Err("A file's name has no control characters and nothing that turns text around.");
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Err("A file's name does not end with a dot or a space, nor begin with one.");
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    if DEVICES.iter().any(|it| it.eq_ignore_ascii_case(stem)) {
        return Err("Windows keeps this name for a device.");
    }
    Ok(name)
}

/// Characters that make `fdp.exe` read as `exe.pdf`, and the invisible ones.
fn turns_text(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}'
    )
}

/// The header that makes a browser save a file under its name and never show it.
#[must_use]
pub fn disposition(name: &str) -> String {
    let mut header = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        // attr-char of RFC 8187.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            header.push(char::from(byte));
        } else {
            header.push_str(&format!("%{byte:02X}"));
        }
    }
    header
}

#[cfg(test)]
mod tests;
