//! What the test program and cargo print, as far as we need it.

/// What became of one test.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Color {
    Green,
    Red,
}

/// The verdict on the test of that name in what the test program printed. None
/// if there is no verdict: the name is unknown, or the program died on the way.
pub(crate) fn color_of(printed: &str, name: &str) -> Option<Color> {
    printed.lines().find_map(|line| {
        let rest = line.strip_prefix("test ")?.strip_prefix(name)?;
        // `test name - should panic ... ok` is the same test; `test name_2 …` is not.
        if !rest.starts_with(' ') {
            return None;
        }
        match rest.rsplit("... ").next()? {
            "ok" => Some(Color::Green),
            "FAILED" => Some(Color::Red),
            _ => None,
        }
    })
}

/// The test program that cargo says it built.
pub(crate) fn executable(said: &str) -> Option<&str> {
    said.lines()
        .filter(|line| line.trim_start().starts_with("Executable "))
        .find_map(|line| line.trim_end().rsplit_once('(')?.1.strip_suffix(')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_test_has_a_say() {
        let printed = "running 2 tests\ntest sums_twice ... FAILED\ntest sums ... ok\n";
        assert_eq!(color_of(printed, "sums"), Some(Color::Green));
        assert_eq!(color_of(printed, "sums_twice"), Some(Color::Red));
        assert_eq!(color_of(printed, "other"), None);
    }

    #[test]
    fn a_test_that_should_panic_has_a_verdict_too() {
        let printed = "test sums - should panic ... FAILED\n";
        assert_eq!(color_of(printed, "sums"), Some(Color::Red));
    }

    #[test]
    fn a_test_that_died_has_no_verdict() {
        assert_eq!(color_of("running 1 test\ntest sums ... ", "sums"), None);
    }

    #[test]
    fn the_test_program_is_found_in_what_cargo_says() {
        let said = "   Compiling x v0.1.0 (/tree/x)\n    Finished `test` profile\n  \
                    Executable tests/laws.rs (/scratch/debug/deps/laws-0a1b)\n";
        assert_eq!(executable(said), Some("/scratch/debug/deps/laws-0a1b"));
    }
}
