//! Where in a JSON text a value stands, so that whoever wrote it finds the line.

use std::fmt;

/// One step into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
}

/// `screens[0].layout.children[2].type`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn key(&self, key: &str) -> Self {
        let step = Step::Key(key.to_owned());
        Self([&self.0[..], &[step]].concat())
    }

    pub(crate) fn at(&self, index: usize) -> Self {
        Self([&self.0[..], &[Step::At(index)]].concat())
    }

    /// The value itself, or the nearest one around it that is there. `text` is JSON.
    pub(crate) fn find(&self, text: &str) -> Place {
        let found = (0..=self.0.len()).rev().find_map(|depth| {
            let mut scan = Scan {
                bytes: text.as_bytes(),
                at: 0,
            };
            scan.find(&self.0[..depth])
        });
        let (start, end) = found.unwrap_or((0, text.len()));
        let (line_start, column_start) = line_and_column(text, start);
        let (line_end, column_end) = line_and_column(text, end);
        Place {
            line_start,
            line_end,
            column_start,
            column_end,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if depth == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::At(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Counted from 1; columns in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line_start: usize,
    pub(crate) line_end: usize,
    pub(crate) column_start: usize,
    pub(crate) column_end: usize,
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// Walks over JSON that is known to be well-formed; whatever else it meets ends the walk.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn find(&mut self, steps: &[Step]) -> Option<(usize, usize)> {
        for step in steps {
            match step {
                Step::Key(key) => self.enter_key(key)?,
                Step::At(index) => self.enter_at(*index)?,
            }
        }
        self.space();
        let start = self.at;
        self.value()?;
        Some((start, self.at))
    }

    fn enter_key(&mut self, wanted: &str) -> Option<()> {
        self.take(b'{')?;
        loop {
            self.space();
            let start = self.at;
            self.string()?;
            let found = self.bytes.get(start + 1..self.at - 1) == Some(wanted.as_bytes());
            self.take(b':')?;
            if found {
                return Some(());
            }
            self.value()?;
            self.take(b',')?;
        }
    }

    fn enter_at(&mut self, index: usize) -> Option<()> {
        self.take(b'[')?;
        for _ in 0..index {
            self.value()?;
            self.take(b',')?;
        }
        self.space();
        (self.peek() != Some(b']')).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }

    fn value(&mut self) -> Option<()> {
        self.space();
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                byte if byte.is_ascii_whitespace() => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    let scalar = |byte: &u8| !b",:]}".contains(byte) && !byte.is_ascii_whitespace();
                    self.at += self.bytes[self.at..].iter().take_while(|byte| scalar(byte)).count();
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_path() {
        let text = "{\n  \"a\": { \"x\": \"],}\\\"\" },\n  \"b\": [1, {\"c\": true}]\n}";
        let place = Path::default().key("b").at(1).key("c").find(text);
        assert_eq!(
            place,
            Place {
                line_start: 3,
                line_end: 3,
                column_start: 18,
                column_end: 22
            }
        );
        assert_eq!(Path::default().key("b").at(1).key("c").to_string(), "b[1].c");
    }

    #[test]
    fn what_is_missing_is_shown_where_it_should_be() {
        let text = "{\"a\": [\n{\"b\": 1}]}";
        let missing = Path::default().key("a").at(0).key("type").find(text);
        assert_eq!((missing.line_start, missing.column_start), (2, 1));
        let nowhere = Path::default().key("z").at(3).find(text);
        assert_eq!((nowhere.line_start, nowhere.column_start), (1, 1));
    }
}
