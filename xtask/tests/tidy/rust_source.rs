//! A Rust file seen as code, comments and string literals. Small on purpose: it knows how Rust quotes, not what it
//! means.

/// A string literal and the line, from 1, on which it opens.
pub(crate) struct Literal {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A source with everything that is not code taken out of the way.
pub(crate) struct RustSource {
    /// The source with comments and the contents of literals blanked out; lines and columns stay where they were.
    pub(crate) code: String,
    pub(crate) literals: Vec<Literal>,
}

/// A function: its name, the line of its `fn`, and how many lines it takes to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl RustSource {
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader {
            characters: text.chars().collect(),
            at: 0,
            line: 1,
            code: String::new(),
            literals: vec![],
        };
        while reader.at < reader.characters.len() {
            reader.step();
        }
        Self {
            code: reader.code,
            literals: reader.literals,
        }
    }

    /// Every occurrence of `word` in code that is not part of a longer name, by line. `word` may end in a sign:
    /// `todo!`.
    pub(crate) fn lines_naming(&self, word: &str) -> Vec<usize> {
        let lines = self.code.lines().enumerate();
        lines
            .filter(|(_, line)| names(line, word))
            .map(|(index, _)| index + 1)
            .collect()
    }

    pub(crate) fn functions(&self) -> Vec<Function> {
        let bytes = self.code.as_bytes();
        let line_at = |offset: usize| 1 + bytes[..offset].iter().filter(|byte| **byte == b'\n').count();
        let mut functions = Vec::new();
        for (start, _) in self.code.match_indices("fn ") {
            let name: String = self.code[start + 3..].chars().take_while(|c| is_word(*c)).collect();
            let begins_word = start == 0 || !is_word(char::from(bytes[start - 1]));
            if name.is_empty() || !begins_word {
                continue;
            }
            if let Some(end) = end_of_body(bytes, start) {
                let line = line_at(start);
                functions.push(Function {
                    name,
                    line,
                    lines: line_at(end) - line + 1,
                });
            }
        }
        functions
    }
}

/// The offset of the brace that closes the body of the function at `start`; none for a declaration without a body.
fn end_of_body(bytes: &[u8], start: usize) -> Option<usize> {
    let mut brackets = 0_usize; // of the signature: an array type holds a semicolon
    let mut braces = 0_usize;
    for (offset, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' if braces == 0 => brackets += 1,
            b')' | b']' if braces == 0 => brackets = brackets.saturating_sub(1),
            b';' if braces == 0 && brackets == 0 => return None,
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(offset),
            b'}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Does `line` hold `word` with no letter, digit or underscore on either side?
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let continues = word.chars().next_back().is_some_and(is_word) && after.is_some_and(is_word);
        !(before.is_some_and(is_word) || continues)
    })
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    line: usize,
    code: String,
    literals: Vec<Literal>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.characters.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Takes one character into the code as it is.
    fn keep(&mut self) -> char {
        let character = self.peek(0);
        self.code.push(character);
        self.advance(character)
    }

    /// Takes one character and leaves a blank in its place.
    fn blank(&mut self) -> char {
        let character = self.peek(0);
        self.code.push(if character == '\n' { '\n' } else { ' ' });
        self.advance(character)
    }

    fn advance(&mut self, character: char) -> char {
        self.line += usize::from(character == '\n');
        self.at += 1;
        character
    }

    fn step(&mut self) {
        let starts_word = !self.code.chars().next_back().is_some_and(is_word);
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.at < self.characters.len() && self.peek(0) != '\n' {
                    self.blank();
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('r', '"' | '#') | ('b' | 'c', 'r') if starts_word => self.maybe_raw_string(),
            // A character, not a lifetime: 'x' or an escape.
            ('\'', '\\') => self.character(),
            ('\'', _) if self.peek(2) == '\'' => self.character(),
            _ => {
                self.keep();
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.characters.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.blank();
                    continue;
                }
            }
            self.blank();
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.keep();
        while self.at < self.characters.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.blank();
                self.blank(); // whatever is escaped: it cannot close the string
                text.push(' ');
            } else {
                text.push(self.blank());
            }
        }
        self.keep();
        self.literals.push(Literal { line, text });
    }

    /// r"...", r#"..."#, br"...": no escapes, closed by as many hashes as opened it. A raw name (r#fn) is kept.
    fn maybe_raw_string(&mut self) {
        let prefix = if self.peek(0) == 'r' { 1 } else { 2 };
        let hashes = (0..).take_while(|index| self.peek(prefix + index) == '#').count();
        if self.peek(prefix + hashes) != '"' {
            self.keep();
            return;
        }
        let line = self.line;
        for _ in 0..=prefix + hashes {
            self.keep();
        }
        let mut text = String::new();
        let closes = |reader: &Self| reader.peek(0) == '"' && (1..=hashes).all(|index| reader.peek(index) == '#');
        while self.at < self.characters.len() && !closes(self) {
            text.push(self.blank());
        }
        for _ in 0..=hashes {
            self.keep();
        }
        self.literals.push(Literal { line, text });
    }

    fn character(&mut self) {
        self.keep();
        if self.peek(0) == '\\' {
            self.blank();
        }
        self.blank();
        while self.at < self.characters.len() && self.peek(0) != '\'' {
            self.blank();
        }
        self.keep();
    }
}

#[cfg(test)]
mod tests {
    //! How Rust quotes, and where its functions end.

    use super::{Function, RustSource};

    fn literals(text: &str) -> Vec<(usize, String)> {
        RustSource::read(text)
            .literals
            .into_iter()
            .map(|literal| (literal.line, literal.text))
            .collect()
    }

    #[test]
    fn comments_are_not_code() {
        let source = RustSource::read("a // todo!\n/* b /* c */ d */ e\n");
        assert_eq!(source.code, "a         \n                  e\n");
    }

    #[test]
    fn literals_are_found_with_their_lines() {
        assert_eq!(
            literals("f(\"one\");\ng(r#\"t\"wo\"#, b\"x\\\"y\")"),
            [(1, "one".into()), (2, "t\"wo".into()), (2, "x y".into())]
        );
    }

    #[test]
    fn quotes_in_characters_open_nothing() {
        let source = RustSource::read(r#"let q = '"'; let e = '\''; let l: &'static str = "s"; fn f<'a>() {}"#);
        assert_eq!(source.literals.len(), 1);
        assert!(source.code.contains("fn f<'a>() {}"));
    }

    #[test]
    fn words_are_whole() {
        let source = RustSource::read("todo!()\nmytodo!()\nuse openmls::A;\nuse openmls_traits::B;");
        assert_eq!(source.lines_naming("todo!"), [1]);
        assert_eq!(source.lines_naming("openmls"), [3]);
    }

    #[test]
    fn functions_end_at_their_own_brace() {
        let text =
            "trait T { fn declared(a: [u8; 4]); }\nfn outer(\n    f: fn(u8) -> u8,\n) {\n    if x { \"}\" }\n}\n";
        assert_eq!(
            RustSource::read(text).functions(),
            [Function {
                name: "outer".into(),
                line: 2,
                lines: 5
            }]
        );
    }
}
