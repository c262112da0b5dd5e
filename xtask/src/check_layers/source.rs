//! One source file as the list of everything that it names, each name spelt out from its crate's root.

mod tokens;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use syn::{
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// Where a file stands: which crate of ours, and which module there.
pub(super) struct Place {
    /// The crate's name.
    pub(super) krate: String,
    /// Under `src`, not a test, bench or example (each of which is a crate of its own to the compiler).
    pub(super) in_src: bool,
    /// A file of tests, benches or examples: in a folder of that name, or a module `tests` under `src`.
    pub(super) for_tests: bool,
    /// What `self::` stands for. The first segment is what `crate::` stands for.
    pub(super) module: Vec<String>,
}

impl Place {
    /// `inside` is the file's path from the crate's folder.
    pub(super) fn new(krate: &str, inside: &Path) -> Self {
        let mut parts: Vec<String> =
            inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let in_src =
            parts.first().is_some_and(|first| first == "src") && parts.get(1).is_none_or(|p| p != "bin");
        let for_tests = parts.iter().any(|part| part == "tests")
            || parts.first().is_some_and(|first| ["benches", "examples"].contains(&first.as_str()));
        let root = if in_src { krate.to_owned() } else { format!("{krate} {}", parts.join(" ")) };
        if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
            parts.pop();
        }
        let module = std::iter::once(root).chain(parts.into_iter().skip(1)).collect();
        Self { krate: krate.to_owned(), in_src, for_tests, module }
    }
}

/// How a name stands in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// In an expression, a type, a pattern, or the tokens of a macro.
    Plain,
    /// In a `use` or `extern crate`.
    Import { glob: bool, renamed: bool, exported: bool },
    /// Before the braces of a struct literal.
    Literal,
    /// A method that is called with no argument but its receiver. The path is its name alone.
    BareMethod,
}

/// A name in the source.
pub(super) struct Mention {
    /// From the crate's root: `use super::Limit` in `models::policies::usage` is `models::policies::Limit`.
    pub(super) path: Vec<String>,
    /// From 1.
    pub(super) line: usize,
    pub(super) how: How,
    /// The module that it stands in, from the crate's root.
    pub(super) module: Vec<String>,
    /// Inside a private `fn of(tenant: TenantId, ..)` or `fn .._of(tenant: TenantId, ..)`.
    pub(super) in_of_tenant: bool,
    /// In a file of tests, or under `#[cfg(test)]`.
    pub(super) for_tests: bool,
}

/// A name that stands in a module for what is defined elsewhere, and can be taken from there: `use` outside of
/// functions.
pub(super) struct Import {
    /// The module, from the crate's root.
    pub(super) module: Vec<String>,
    pub(super) name: String,
    /// What it stands for, from its crate's root.
    pub(super) path: Vec<String>,
}

/// All that a file names, and the lines of `include!` and `#[path]`.
#[derive(Default)]
pub(super) struct Source {
    pub(super) mentions: Vec<Mention>,
    pub(super) imports: Vec<Import>,
    /// The modules with a file of their own that are for tests, from the crate's root.
    pub(super) test_modules: Vec<Vec<String>>,
    pub(super) includes: Vec<usize>,
    pub(super) path_attributes: Vec<usize>,
}

/// A source of one of our crates.
pub(super) struct SourceFile {
    pub(super) place: Place,
    /// Path from the top of the tree.
    pub(super) path: String,
    pub(super) source: Source,
}

/// Reads a file.
pub(super) fn read(place: &Place, text: &str) -> syn::Result<Source> {
    let file = syn::parse_file(text)?;
    let mut reader = Reader {
        module: place.module.clone(),
        inline: 0,
        functions: Vec::new(),
        imports: BTreeMap::new(),
        modules: file.items.iter().filter_map(declared_module).collect(),
        tests: usize::from(place.for_tests),
        collecting: true,
        source: Source::default(),
    };
    // Twice, because a name may stand above the `use` that explains it.
    reader.visit_file(&file);
    reader.collecting = false;
    reader.source = Source::default();
    reader.visit_file(&file);
    Ok(reader.source)
}

struct Reader {
    module: Vec<String>,
    inline: usize,
    /// For each function around: whether queries begin with it.
    functions: Vec<bool>,
    /// What each imported name stands for. One map a file: what a function imports is taken to hold for all of it.
    imports: BTreeMap<String, Vec<String>>,
    /// The modules that this file declares, which hide crates of the same name.
    modules: BTreeSet<String>,
    /// How many of the items around are for tests.
    tests: usize,
    collecting: bool,
    source: Source,
}

impl Reader {
    /// A path as written, spelt out from the root of its crate.
    fn absolute(&self, written: &[String]) -> Vec<String> {
        let Some((first, mut rest)) = written.split_first() else { return Vec::new() };
        let mut path = match first.as_str() {
            "crate" => self.module[..1].to_vec(),
            "self" => self.module.clone(),
            "super" => {
                let mut up = 1;
                while let Some((next, after)) = rest.split_first()
                    && next == "super"
                {
                    up += 1;
                    rest = after;
                }
                self.module[..self.module.len().saturating_sub(up).max(1)].to_vec()
            }
            declared if self.modules.contains(declared) => {
                let of_file = self.module.len() - self.inline;
                [&self.module[..of_file], std::slice::from_ref(first)].concat()
            }
            other => self.imports.get(other).cloned().unwrap_or_else(|| vec![first.clone()]),
        };
        path.extend_from_slice(rest);
        path
    }

    fn mention(&mut self, written: &[String], line: usize, how: How) {
        if !self.collecting && !written.is_empty() {
            self.push(self.absolute(written), line, how);
        }
    }

    fn push(&mut self, path: Vec<String>, line: usize, how: How) {
        let in_of_tenant = self.functions.last().copied().unwrap_or(false);
        let (module, for_tests) = (self.module.clone(), self.tests > 0);
        self.source.mentions.push(Mention { path, line, how, module, in_of_tenant, for_tests });
    }

    /// One leaf of a `use` tree.
    fn import(&mut self, written: &[String], known_as: Option<&str>, line: usize, how: How) {
        if self.collecting {
            if let Some(name) = known_as
                && written.len() > 1
            {
                let path = self.absolute(written);
                self.imports.entry(name.to_owned()).or_insert(path);
            }
        } else {
            if let Some(name) = known_as
                && written.len() > 1
                && self.functions.is_empty()
                && self.tests == 0
            {
                let (module, path) = (self.module.clone(), self.absolute(written));
                self.source.imports.push(Import { module, name: name.to_owned(), path });
            }
            self.mention(written, line, how);
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String], exported: bool) {
        let line = tree.span().start().line;
        let with = |ident: &syn::Ident| {
            // `{self}` names what stands before the braces.
            if ident == "self" && !before.is_empty() {
                before.to_vec()
            } else {
                [before, &[name(ident)]].concat()
            }
        };
        let how = |glob, renamed| How::Import { glob, renamed, exported };
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident), exported),
            syn::UseTree::Name(leaf) => {
                let path = with(&leaf.ident);
                let known_as = path.last().cloned();
                self.import(&path, known_as.as_deref(), line, how(false, false));
            }
            syn::UseTree::Rename(leaf) => {
                self.import(&with(&leaf.ident), Some(&name(&leaf.rename)), line, how(false, true));
            }
            syn::UseTree::Glob(_) => self.import(before, None, line, how(true, false)),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, before, exported);
                }
            }
        }
    }

    /// Reads a body; of a function, `of_tenant` says whether queries begin with it.
    fn inside(&mut self, of_tenant: Option<bool>, read: impl FnOnce(&mut Self)) {
        self.functions.extend(of_tenant);
        read(self);
        self.functions.truncate(self.functions.len() - usize::from(of_tenant.is_some()));
    }

    /// Reads an item that has these attributes.
    fn item(&mut self, attributes: &[syn::Attribute], read: impl FnOnce(&mut Self)) {
        let tests = usize::from(attributes.iter().any(is_for_tests));
        self.tests += tests;
        read(self);
        self.tests -= tests;
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        self.item(&item.attrs, |reader| {
            reader.use_tree(&item.tree, &[], exported);
            item.attrs.iter().for_each(|attribute| reader.visit_attribute(attribute));
        });
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        let how = How::Import { glob: false, renamed: item.rename.is_some(), exported };
        self.mention(&[name(&item.ident)], item.span().start().line, how);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.item(&item.attrs, |reader| {
            if item.content.is_some() {
                reader.module.push(name(&item.ident));
                reader.inline += 1;
                visit::visit_item_mod(reader, item);
                reader.inline -= 1;
                reader.module.pop();
            } else {
                if reader.tests > 0 && !reader.collecting {
                    let module = [reader.module.as_slice(), &[name(&item.ident)]].concat();
                    reader.source.test_modules.push(module);
                }
                visit::visit_item_mod(reader, item);
            }
        });
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.item(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let of_tenant = Some(begins_queries(&item.sig, &item.vis));
        self.item(&item.attrs, |reader| {
            reader.inside(of_tenant, |reader| visit::visit_item_fn(reader, item));
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let of_tenant = Some(begins_queries(&item.sig, &item.vis));
        self.item(&item.attrs, |reader| {
            reader.inside(of_tenant, |reader| visit::visit_impl_item_fn(reader, item));
        });
    }

    /// The path of `pub(in ..)` and `pub(super)` says who may name an item, and names nothing itself.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(&names(path), path.span().start().line, How::Plain);
        visit::visit_path(self, path);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        self.mention(&names(&literal.path), literal.span().start().line, How::Literal);
        visit::visit_expr_struct(self, literal);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.args.is_empty() && !self.collecting {
            let path = vec![name(&call.method)];
            self.push(path, call.method.span().start().line, How::BareMethod);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("include") && !self.collecting {
            self.source.includes.push(call.span().start().line);
        }
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("path") && !self.collecting {
            self.source.path_attributes.push(attribute.span().start().line);
        }
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

/// Whether it is `#[cfg(test)]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("cfg") && list.tokens.to_string() == "test"
}

fn declared_module(item: &syn::Item) -> Option<String> {
    if let syn::Item::Mod(item) = item { Some(name(&item.ident)) } else { None }
}

/// An identifier without the `r#` of a raw one.
fn name(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// Whether a function is one with which queries begin: private, `of` or `.._of`, and the tenant its first argument.
fn begins_queries(signature: &syn::Signature, visibility: &syn::Visibility) -> bool {
    let tenant = match signature.inputs.first() {
        Some(syn::FnArg::Typed(first)) => match &*first.ty {
            syn::Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == TENANT),
            _ => false,
        },
        _ => false,
    };
    tenant && is_of(&signature.ident) && matches!(visibility, syn::Visibility::Inherited)
}

/// The type of a tenant's id.
const TENANT: &str = "TenantId";

fn is_of(function: &proc_macro2::Ident) -> bool {
    let function = function.to_string();
    function == "of" || function.ends_with("_of")
}

fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| name(&segment.ident)).collect()
}
