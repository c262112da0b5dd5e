//! Words with braces: `{rm,-rf,/}` is three words, and `-{r,f}` two.

use super::{MAX_BRACES, Reader, Word};

/// The most words that one word with braces is.
const MAX_CHOICES: usize = 64;

impl Word {
    /// Each word that it is: `-{r,f}` is `-r` and `-f`. `None` where they are more than there is `room` for.
    pub(super) fn chosen(&self, room: usize) -> Option<Vec<String>> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for (at, choices) in &self.choices {
            let between = &self.text[from..*at];
            from = *at;
            let longest = choices.iter().map(String::len).max().unwrap_or_default();
            let length = all.iter().map(String::len).max().unwrap_or_default() + between.len() + longest;
            let count = all.len() * choices.len();
            if count > MAX_CHOICES || count * (length + self.text.len()) > room {
                return None;
            }
            let mut longer = Vec::with_capacity(count);
            for front in &all {
                longer.extend(choices.iter().map(|choice| format!("{front}{between}{choice}")));
            }
            all = longer;
        }
        let end = &self.text[from..];
        for word in &mut all {
            word.push_str(end);
        }
        Some(all)
    }
}

impl Reader<'_> {
    /// `{rm,-rf,/}` is three words.
    pub(super) fn brace(&mut self) {
        let end = self.rest.char_indices().take(MAX_BRACES).find(|(_, c)| *c == '}' || c.is_whitespace());
        let within = match end {
            Some((end, '}')) => &self.rest[..end],
            _ => "",
        };
        let is_list = within.contains(',') && !within.contains(['"', '\'', '`', '$', '{', ':', '\\']);
        if !is_list {
            self.push('{');
            return;
        }
        // The rest of an argument is not read yet.
        if !self.command.words.is_empty() {
            let choices = within.split(',').map(str::to_owned).collect();
            self.word.choices.push((self.word.text.len(), choices));
            self.rest = &self.rest[within.len() + 1..];
            return;
        }
        if !self.is_start() {
            self.word.expands = true;
        }
        self.rest = &self.rest[within.len() + 1..];
        for (place, word) in within.split(',').enumerate() {
            if place > 0 {
                self.end_word();
            }
            self.word.text.push_str(word);
            self.word.is_resolved = true;
        }
    }
}
