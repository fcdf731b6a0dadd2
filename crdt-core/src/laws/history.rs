//! Histories: what happens to a handful of replicas, as a list of steps that are legal in any order.
//!
//! Steps name replicas, deltas and copies by number, and a number is taken modulo what there is, so any part of a
//! history is a history: shrinking never has to repair one. Nothing is consumed by being delivered. A delta that is
//! never named again was lost, one named twice was repeated, one named late was reordered.

use super::op::{Operation, below, one_of};
use quickcheck::{Arbitrary, Gen, empty_shrinker};
use std::fmt;
use std::prelude::rust_2024::*;

/// One thing that happens. The fields are numbers modulo what there is; a step without an object does nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<Op> {
    /// A replica makes an edit.
    Edit(u8, Op),
    /// The delta of an earlier edit arrives.
    Deliver {
        /// How many edits ago it was made.
        back: u8,
        /// Where it arrives.
        to: u8,
    },
    /// The oldest delta that a replica lacks the effect of arrives, causes of what it holds first: its sender tries again.
    Resend {
        /// Where it arrives.
        to: u8,
    },
    /// Several deltas arrive as one group.
    DeliverGroup {
        /// How many edits ago the last of them was made.
        back: u8,
        /// How many there are.
        count: u8,
        /// Where they arrive.
        to: u8,
    },
    /// A copy of a replica's whole state is put aside.
    Copy(u8),
    /// An earlier copy arrives, perhaps long after it was made.
    MergeCopy {
        /// How many copies ago it was made.
        back: u8,
        /// Where it arrives.
        to: u8,
    },
    /// One replica merges the whole state of another, as it is now.
    Meet {
        /// Whose state.
        from: u8,
        /// Where it arrives.
        to: u8,
    },
    /// One replica tells another what it has seen, and merges what that one knows beyond.
    Repair {
        /// Who answers.
        from: u8,
        /// Who asks.
        to: u8,
    },
    /// The same by exact summaries of both, so that only the difference travels.
    Difference {
        /// Who answers.
        from: u8,
        /// Who asks.
        to: u8,
    },
    /// A replica stops, and starts again from its bytes.
    Reencode(u8),
    /// A replica is set up anew from an earlier copy, and goes on under an identity of its own.
    Restore {
        /// Which replica is lost.
        replica: u8,
        /// How many copies ago the copy was made.
        back: u8,
    },
}

impl<Op: Operation> Arbitrary for Step<Op> {
    fn arbitrary(g: &mut Gen) -> Self {
        let replica = below(g, 12) as u8;
        let other = below(g, 12) as u8;
        // Mostly what is recent, sometimes what is old.
        let back = one_of(g, &[0, 0, 0, 1, 1, 2, 3, 5, 8, 13]);
        match below(g, 45) {
            0..23 => Self::Edit(replica, Op::arbitrary(g)),
            23..28 => Self::Deliver { back, to: other },
            28 => Self::DeliverGroup { back, count: 2 + below(g, 3) as u8, to: other },
            29..34 => Self::Resend { to: other },
            34..36 => Self::Copy(replica),
            36..38 => Self::MergeCopy { back, to: other },
            38..41 => Self::Meet { from: replica, to: other },
            41 => Self::Repair { from: replica, to: other },
            42 => Self::Difference { from: replica, to: other },
            43 => Self::Reencode(replica),
            _ => Self::Restore { replica, back },
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Edit(replica, op) => {
                let (same_replica, same_op) = (*replica, op.clone());
                let nearer = nearer(*replica).map(move |replica| Self::Edit(replica, same_op.clone()));
                Box::new(nearer.chain(op.shrink().map(move |op| Self::Edit(same_replica, op))))
            }
            Self::Deliver { back, to } => {
                let (same_back, same_to) = (*back, *to);
                let newer = nearer(same_back).map(move |back| Self::Deliver { back, to: same_to });
                Box::new(newer.chain(nearer(same_to).map(move |to| Self::Deliver { back: same_back, to })))
            }
            Self::Resend { to } => Box::new(nearer(*to).map(|to| Self::Resend { to })),
            Self::DeliverGroup { back, count, to } => {
                let (back, count, to) = (*back, *count, *to);
                let one = std::iter::once(Self::Deliver { back, to });
                let fewer = (2..count).map(move |count| Self::DeliverGroup { back, count, to });
                Box::new(one.chain(fewer).chain(nearer(back).map(move |back| Self::DeliverGroup { back, count, to })))
            }
            Self::MergeCopy { back, to } => {
                let (same_back, same_to) = (*back, *to);
                let newer = nearer(same_back).map(move |back| Self::MergeCopy { back, to: same_to });
                Box::new(newer.chain(nearer(same_to).map(move |to| Self::MergeCopy { back: same_back, to })))
            }
            Self::Meet { from, to } => shrink_link(*from, *to, |from, to| Self::Meet { from, to }),
            Self::Repair { from, to } => shrink_link(*from, *to, |from, to| Self::Repair { from, to }),
            Self::Difference { from, to } => shrink_link(*from, *to, |from, to| Self::Difference { from, to }),
            Self::Restore { replica, back } => {
                shrink_link(*replica, *back, |replica, back| Self::Restore { replica, back })
            }
            Self::Copy(_) | Self::Reencode(_) => empty_shrinker(),
        }
    }
}

fn nearer(number: u8) -> impl Iterator<Item = u8> {
    // Replica numbers come from a range that three and four divide, so this reaches the same replica too.
    [number % 3, number % 4, number / 2, number.saturating_sub(1)].into_iter().filter(move |&smaller| smaller < number)
}

fn shrink_link<Op: 'static>(
    from: u8,
    to: u8,
    link: impl Fn(u8, u8) -> Step<Op> + Copy + 'static,
) -> Box<dyn Iterator<Item = Step<Op>>> {
    Box::new(nearer(from).map(move |from| link(from, to)).chain(nearer(to).map(move |to| link(from, to))))
}

/// A history: how many replicas, and what happens.
#[derive(Clone, PartialEq, Eq)]
pub struct History<Op> {
    /// How many replicas there are.
    pub replicas: u8,
    /// Whether a delta waits until its causes are there, as an inbox makes it wait. Otherwise replicas have gaps, edit on
    /// top of them, and are held to the laws alone until the gaps are filled.
    pub causes_first: bool,
    /// What happens, in this order.
    pub steps: Vec<Step<Op>>,
}

impl<Op: Operation> Arbitrary for History<Op> {
    fn arbitrary(g: &mut Gen) -> Self {
        let length = 1 + below(g, g.size().max(1));
        Self {
            replicas: one_of(g, &[3, 3, 3, 4]),
            causes_first: bool::arbitrary(g),
            steps: (0..length).map(|_| Step::arbitrary(g)).collect(),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let Self { replicas, causes_first, ref steps } = *self;
        let fewer_replicas = (2..replicas).map({
            let steps = steps.clone();
            move |replicas| Self { replicas, causes_first, steps: steps.clone() }
        });
        let fewer_steps = steps.shrink().map(move |steps| Self { replicas, causes_first, steps });
        // Shorter first, then simpler: the steps' own shrinking drops halves and single steps before it simplifies one.
        Box::new(fewer_steps.chain(fewer_replicas))
    }
}

/// Written as Rust source, so that a failure can be pasted into a test.
impl<Op: fmt::Debug> fmt::Debug for History<Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { replicas, causes_first, steps } = self;
        writeln!(f, "History {{")?;
        writeln!(f, "    replicas: {replicas},")?;
        writeln!(f, "    causes_first: {causes_first},")?;
        writeln!(f, "    steps: vec![")?;
        for step in steps {
            writeln!(f, "        {step:?},")?;
        }
        writeln!(f, "    ],")?;
        write!(f, "}}")
    }
}
