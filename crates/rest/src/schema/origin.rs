//! Where a view's columns come from: PostgreSQL keeps it in the target list of the view's rule
//! (`resorigtbl` and `resorigcol` of each `TARGETENTRY`), so that views inherit the keys of their tables.

/// Column number of the view, and the relation and column number it shows unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub column: i16,
    pub relation: i64,
    pub relation_column: i16,
}

/// Reads the outermost target list of a node tree as `pg_node_tree` prints it: nested `{NODE :field value …}`,
/// where a backslash takes the meaning from the character after it.
pub fn origins(rule: &str) -> Vec<Origin> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut is_target_list = false;
    let mut entry = Entry::default();
    for token in Tokens(rule) {
        match token {
            "{" => {
                depth += 1;
                if depth == 2 {
                    entry = Entry::default();
                }
            }
            "}" => {
                if depth == 2 && is_target_list {
                    found.extend(entry.origin());
                }
                depth = depth.saturating_sub(1);
            }
            field if field.starts_with(':') => {
                if depth == 1 {
                    is_target_list = field == ":targetList";
                }
                entry.field = if depth == 2 && is_target_list { field.to_owned() } else { String::new() };
            }
            value => entry.take(value),
        }
    }
    found
}

#[derive(Default)]
struct Entry {
    field: String,
    number: i16,
    relation: i64,
    relation_column: i16,
    is_junk: bool,
}

impl Entry {
    fn take(&mut self, value: &str) {
        match self.field.as_str() {
            ":resno" => self.number = value.parse().unwrap_or(0),
            ":resorigtbl" => self.relation = value.parse().unwrap_or(0),
            ":resorigcol" => self.relation_column = value.parse().unwrap_or(0),
            ":resjunk" => self.is_junk = value == "true",
            _ => {}
        }
    }

    fn origin(&self) -> Option<Origin> {
        (self.number > 0 && self.relation > 0 && self.relation_column > 0 && !self.is_junk).then_some(
            Origin { column: self.number, relation: self.relation, relation_column: self.relation_column },
        )
    }
}

/// Braces and words; blanks and parentheses separate.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches([' ', '\n', '\t', '(', ')']);
        let mut is_escaped = false;
        let end = text
            .char_indices()
            .find(|&(index, c)| {
                if is_escaped {
                    is_escaped = false;
                    return false;
                }
                is_escaped = c == '\\';
                index > 0 && matches!(c, '{' | '}' | ' ' | '\n' | '\t' | '(' | ')')
                    || index == 1 && text.starts_with(['{', '}'])
            })
            .map_or(text.len(), |(index, _)| index);
        let (token, rest) = text.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_target_list_counts() {
        let rule = r#"({QUERY :commandType 1 :rtable ({RTE :eref {ALIAS :aliasname a\{b :colnames ("x\ y")} :subquery
            {QUERY :targetList ({TARGETENTRY :expr {VAR :varno 1} :resno 1 :resname z :resorigtbl 7 :resorigcol 7 :resjunk false})}})
            :jointree {FROMEXPR :quals <>} :targetList ({TARGETENTRY :expr {VAR :varno 1 :resno 9} :resno 1 :resname id
            :ressortgroupref 0 :resorigtbl 16390 :resorigcol 3 :resjunk false} {TARGETENTRY :expr {CONST} :resno 2
            :resname \:targetList :resorigtbl 0 :resorigcol 0 :resjunk false} {TARGETENTRY :expr {VAR} :resno 3 :resname s
            :resorigtbl 16390 :resorigcol 4 :resjunk true}) :override 0 :withCheckOptions ({WCO :resno 4 :resorigtbl 5 :resorigcol 6}))})"#;
        assert_eq!(origins(rule), vec![Origin { column: 1, relation: 16390, relation_column: 3 }]);
    }

    #[test]
    fn nonsense_is_no_origin() {
        for text in ["", "{", "}}}{{{", "(((", ":targetList :resno 1", "{{ :resorigtbl x } \\"] {
            assert_eq!(origins(text), vec![], "{text}");
        }
    }
}
