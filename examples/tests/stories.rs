//! The examples that tell a story end as they should.

use std::process::Command;

fn told_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn in_the_chat_an_answer_waits_for_its_question() {
    let causal = told_by(env!("CARGO_BIN_EXE_chat"), &[]);
    assert!(causal.contains("written after something she has not got"), "the answer was there first: {causal}");
    assert!(!causal.contains("an answer to nothing?"), "{causal}");
    assert_eq!(causal.matches("carol's screen").count(), 1, "{causal}");
    assert!(causal.contains("in the end 2 lines, the same for alice, bob, carol: true"), "{causal}");

    // On the same network without that order, it shows: so the test above could fail.
    let hasty = told_by(env!("CARGO_BIN_EXE_chat"), &["--as-it-comes"]);
    assert!(hasty.contains("an answer to nothing?"), "{hasty}");
    assert!(hasty.contains("in the end 2 lines, the same for alice, bob, carol: true"), "{hasty}");
}

#[test]
fn the_cart_adds_up_and_keeps_what_nobody_saw() {
    let told = told_by(env!("CARGO_BIN_EXE_cart"), &[]);
    let part = |title: &str| -> Vec<String> {
        let (_, after) = told.split_once(title).unwrap_or_else(|| panic!("{title} is missing: {told}"));
        after.lines().skip(1).take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect()
    };
    let both = part("after both have visited the shop again");
    assert_eq!(both[..2], ["1 bread", "5 milk"]);
    assert!(both[2] == "delivery on Friday or Saturday" || both[2] == "delivery on Saturday or Friday", "{both:?}");
    assert!(told.contains("nine milk less? no"), "{told}");
    assert_eq!(part("ordered, as the phone sees it"), ["1 bread", "5 milk", "delivery on Saturday", "ordered"]);
}

#[test]
fn the_gardeners_hear_of_each_other_in_their_own_words() {
    let told = told_by(env!("CARGO_BIN_EXE_garden"), &[]);
    let twice = "place 2 in row 1 was planted twice";
    for line in [
        "ben hears: place 1 in row 1 has beans now",
        "ben hears: place 2 in row 1 has had 3 cans of water",
        &format!("ben hears: {twice}"),
        "anna hears: place 2 in row 1 has had 3 cans of water",
        &format!("anna hears: {twice}"),
        "ben hears: place 2 in row 1 has tomatoes (Black Krim) now",
        "anna hears: place 1 in row 1 is empty",
    ] {
        assert_eq!(told.matches(line).count(), 1, "{line}: {told}");
    }
}
