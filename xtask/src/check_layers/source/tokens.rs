//! The tokens of macros and attributes, which `syn` does not parse: paths are found by their shape.

use super::{How, Reader, TENANT, is_of, name};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

impl Reader {
    /// Paths in the tokens of a macro or attribute, which `syn` does not parse.
    pub(super) fn tokens(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut index = 0;
        let mut function = None;
        while index < trees.len() {
            match &trees[index] {
                TokenTree::Group(group) => {
                    let body = group.delimiter() == Delimiter::Brace;
                    let of_tenant = function.take_if(|_| body);
                    self.inside(of_tenant, |reader| reader.tokens(group.stream()));
                }
                TokenTree::Ident(word) if word == "fn" => {
                    let of = matches!(trees.get(index + 1), Some(TokenTree::Ident(name)) if is_of(name));
                    let tenant =
                        matches!(trees.get(index + 2), Some(TokenTree::Group(all)) if tenant_first(all));
                    let before = trees[..index].iter().rev().find(|tree| !is_qualifier(tree));
                    let private = !before.is_some_and(ends_a_visibility);
                    function = Some(of && tenant && private);
                }
                TokenTree::Ident(first) => {
                    let line = first.span().start().line;
                    if first == "include" && is_punct(trees.get(index + 1), '!') && !self.collecting {
                        self.source.includes.push(line);
                    }
                    let mut path = vec![name(first)];
                    let mut glob = false;
                    while is_punct(trees.get(index + 1), ':') && is_punct(trees.get(index + 2), ':') {
                        match trees.get(index + 3) {
                            Some(TokenTree::Ident(next)) => path.push(name(next)),
                            Some(TokenTree::Punct(star)) if star.as_char() == '*' => glob = true,
                            _ => break,
                        }
                        index += 3;
                    }
                    if glob {
                        self.mention(&path, line, How::Import { glob, renamed: false, exported: false });
                    } else if path.len() > 1 {
                        self.mention(&path, line, How::Plain);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            index += 1;
        }
    }
}

/// Whether the type of the first argument is a tenant's id.
fn tenant_first(arguments: &Group) -> bool {
    let first = arguments
        .stream()
        .into_iter()
        .take_while(|tree| !matches!(tree, TokenTree::Punct(p) if p.as_char() == ','));
    matches!(first.last(), Some(TokenTree::Ident(last)) if last == TENANT)
}

/// What may stand between a function's visibility and its `fn`.
fn is_qualifier(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Ident(word) if word == "async" || word == "const" || word == "unsafe")
}

/// `pub`, or the `(crate)` of `pub(crate)`.
fn ends_a_visibility(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Ident(word) => word == "pub",
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

fn is_punct(tree: Option<&TokenTree>, wanted: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}
