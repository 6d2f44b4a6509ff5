//! What the person gives to the turn: the prompt from the argument and stdin, and files.

use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use protocol::{Code, Failure};

/// Stdin, as the composition root found it.
pub(crate) enum Stdin {
    /// A person sits there: not to be waited for.
    Terminal,
    /// A file or another program's output.
    Piped(Box<dyn Read + Send>),
}

/// The prompt: the argument, or stdin when there is none or it is `-`. With both, what is piped in follows as a
/// `<stdin>` block. `waiting` is called when stdin takes its time.
pub(crate) fn compose(argument: Option<String>, stdin: Stdin, waiting: impl FnOnce()) -> Result<String, Failure> {
    let Some(argument) = argument.filter(|it| it != "-") else {
        let Stdin::Piped(stdin) = stdin else {
            return Err(none("no prompt was given"));
        };
        let text = read(stdin, waiting)?;
        return if text.trim().is_empty() {
            Err(none("no prompt was given and stdin is empty"))
        } else {
            Ok(text)
        };
    };
    let piped = match stdin {
        Stdin::Terminal => String::new(),
        Stdin::Piped(stdin) => read(stdin, waiting)?,
    };
    if piped.trim().is_empty() {
        return if argument.trim().is_empty() {
            Err(none("the prompt is empty"))
        } else {
            Ok(argument)
        };
    }
    let end = if piped.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{argument}\n\n<stdin>\n{piped}{end}</stdin>"))
}

/// `--image a --image b,c` as paths. Without a prompt, a last value that is no file is the prompt:
/// the option takes several values, so `-i a.png "what is this?"` would lose it.
pub(crate) fn files(
    images: Vec<PathBuf>,
    prompt: Option<String>,
    exists: impl Fn(&PathBuf) -> bool,
) -> (Vec<PathBuf>, Option<String>) {
    let mut images = images;
    let mut prompt = prompt;
    if prompt.is_none() && images.len() > 1 && images.last().is_some_and(|it| !exists(it)) {
        prompt = images.pop().map(|it| it.to_string_lossy().into_owned());
    }
    let paths = images.into_iter().flat_map(|path| {
        let text = path.to_string_lossy().into_owned();
        if text.contains(',') && !exists(&path) {
            text.split(',').map(PathBuf::from).collect()
        } else {
            vec![path]
        }
    });
    (paths.collect(), prompt)
}

/// Reads stdin to its end. A program that holds a pipe open without writing makes us wait, so somebody should know.
fn read(mut stdin: Box<dyn Read + Send>, waiting: impl FnOnce()) -> Result<String, Failure> {
    let (done, ready) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = stdin.read_to_end(&mut bytes).map(|_| bytes);
        // The receiver outlives this thread unless the process ends.
        let _ = done.send(result);
    });
    let result = match ready.recv_timeout(Duration::from_millis(500)) {
        Ok(result) => Ok(result),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            waiting();
            ready.recv()
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(mpsc::RecvError),
    };
    match result {
        Ok(Ok(bytes)) => {
            Ok(String::from_utf8(bytes).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into()))
        }
        Ok(Err(error)) => Err(Failure::new(Code::InvalidRequest, "stdin cannot be read").details(error.to_string())),
        Err(mpsc::RecvError) => Err(Failure::new(Code::Internal, "the reader of stdin ended early")),
    }
}

fn none(message: &str) -> Failure {
    Failure::new(Code::InvalidRequest, message).hint("Give the prompt as an argument, or pipe it into stdin.")
}

#[cfg(test)]
mod tests;
