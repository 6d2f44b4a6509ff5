//! Server-sent events out of bytes, however the network cut them.

/// An event longer than this is passed over: nothing sensible is that long, and memory has an end.
const LONGEST: usize = 64 << 20;

/// The state between two chunks.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
}

impl Sse {
    /// Takes in a chunk and gives every event it completes, as name and data.
    pub(crate) fn push<E>(
        &mut self,
        mut chunk: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let (line, rest) = chunk.split_at(end);
            chunk = rest.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.take_line(line, &mut each)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole, &mut each)?;
                whole.clear();
                self.line = whole;
            }
        }
        if self.line.len() < LONGEST {
            self.line.extend_from_slice(chunk);
        }
        Ok(())
    }

    /// Gives the event that the end of the stream completes, if any.
    pub(crate) fn finish<E>(&mut self, mut each: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line, &mut each)?;
        }
        self.take_line(b"", &mut each)
    }

    fn take_line<E>(&mut self, line: &[u8], each: &mut impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            let told = if self.has_data {
                each(&self.name, &self.data)
            } else {
                Ok(())
            };
            self.name.clear();
            self.data.clear();
            self.has_data = false;
            return told;
        }
        if let Some(data) = field(line, b"data") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            if self.data.len() + data.len() <= LONGEST {
                self.data.extend_from_slice(data);
            }
        } else if let Some(name) = field(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        Ok(())
    }
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests;
