//! One fault and the list of them. The format is described at the top of
//! `xtask/faults.txt`.

use crate::run::Failure;
use std::fmt;

/// A change that breaks the code, and the test that must notice.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) name: String,
    /// Relative to the root of the workspace.
    pub(crate) file: String,
    pub(crate) test: NamedTest,
    find: String,
    replace: String,
}

/// One test function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedTest {
    /// The folder of its package.
    pub(crate) package: String,
    /// `lib`, or the name of a file in `tests/`.
    pub(crate) target: String,
    /// With its modules, as the test program lists it.
    pub(crate) name: String,
}

impl fmt::Display for NamedTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.package, self.target, self.name)
    }
}

impl Fault {
    /// The text with the fault in it.
    pub(crate) fn apply(&self, sound: &str) -> Result<String, Failure> {
        match sound.matches(&self.find).count() {
            1 => Ok(sound.replacen(&self.find, &self.replace, 1)),
            count => Err(Failure::new(format!("{} has the text {count} times, not once:\n{}", self.file, self.find))),
        }
    }
}

/// Reads the list. Paragraphs of `#` lines are comments.
pub(crate) fn parse(list: &str) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    let mut paragraph: Vec<(usize, &str)> = Vec::new();
    for (index, line) in list.lines().chain([""]).enumerate() {
        if line.starts_with('#') {
            continue;
        }
        if !line.trim().is_empty() {
            paragraph.push((index + 1, line));
        } else if !paragraph.is_empty() {
            faults.push(parse_fault(&paragraph)?);
            paragraph.clear();
        }
    }
    Ok(faults)
}

fn parse_fault(paragraph: &[(usize, &str)]) -> Result<Fault, Failure> {
    let start = paragraph[0].0;
    let wrong = |line: usize, what: &str| Failure::new(format!("faults.txt, line {line}: {what}"));
    let (mut name, mut file, mut test) = (None, None, None);
    let (mut find, mut replace) = (Vec::new(), Vec::new());
    for &(number, line) in paragraph {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "fault" => name = Some(rest.trim().to_owned()),
            "file" => file = Some(rest.trim().to_owned()),
            "test" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let [package, target, name] = words[..] else {
                    return Err(wrong(number, "a test is a package, a target and a name"));
                };
                test =
                    Some(NamedTest { package: package.to_owned(), target: target.to_owned(), name: name.to_owned() });
            }
            "-" => find.push(rest),
            "+" => replace.push(rest),
            _ => return Err(wrong(number, "expected fault, file, test, - or +")),
        }
    }
    if find.is_empty() || find == replace {
        return Err(wrong(start, "the fault changes nothing"));
    }
    Ok(Fault {
        name: name.ok_or_else(|| wrong(start, "no fault line"))?,
        file: file.ok_or_else(|| wrong(start, "no file line"))?,
        test: test.ok_or_else(|| wrong(start, "no test line"))?,
        find: find.join("\n"),
        replace: replace.join("\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
# A comment.

fault    addition subtracts
file     core/src/sum.rs
test     core lib sum::tests::two_and_two
-     a + b
+     a - b

fault    the check is gone
file     core/src/sum.rs
test     core sums all_are_checked
-     check(a);
-     check(b);
";

    #[test]
    fn a_list_of_faults_is_read() {
        let faults = parse(LIST).unwrap();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[0].name, "addition subtracts");
        assert_eq!(faults[0].file, "core/src/sum.rs");
        assert_eq!(faults[0].find, "    a + b");
        assert_eq!(faults[0].replace, "    a - b");
        assert_eq!(faults[0].test.to_string(), "core lib sum::tests::two_and_two");
        assert_eq!(faults[1].find, "    check(a);\n    check(b);");
        assert_eq!(faults[1].replace, "");
    }

    #[test]
    fn a_fault_is_put_in_where_its_text_stands_once() {
        let faults = parse(LIST).unwrap();
        let sound = "fn sum() {\n    a + b\n}\n";
        assert_eq!(faults[0].apply(sound).unwrap(), "fn sum() {\n    a - b\n}\n");
    }

    #[test]
    fn text_that_stands_twice_or_not_at_all_is_refused() {
        let faults = parse(LIST).unwrap();
        assert!(faults[0].apply("    a + b\n    a + b\n").is_err());
        assert!(faults[0].apply("a * b").is_err());
    }

    #[test]
    fn a_fault_that_lacks_something_names_its_line() {
        let cases = [
            ("fault x\nfile f\n- a\n+ b", "line 1: no test line"),
            ("fault x\nfile f\ntest p lib", "line 3: a test is"),
            ("fault x\nfile f\ntest p lib n", "line 1: the fault changes nothing"),
            ("fault x\nfile f\ntest p lib n\n- a\n+ a", "changes nothing"),
            ("\n\nnonsense", "line 3: expected"),
        ];
        for (list, message) in cases {
            let failure = parse(list).unwrap_err().to_string();
            assert!(failure.contains(message), "{failure}");
        }
    }
}
