//! A multi-value register with so many concurrent writers, all of whose writes meet.
//!
//! Comparable: all four end with every value readable. Ours merges one delta per
//! writer, the peers one state per writer, each with one value in it. The limit is
//! a bare table from writer to value.

use crate::contestant::{dson as dots, ours};
use crate::row::{Row, Target};
use crate::workload::numbers;
use crate::{Job, Who};
use crdt_core::{Causal, Merge, MvRegister};
use crdt_kit::{Crdt, MVRegister};
use crdts::{CmRDT, CvRDT, MVReg};
use dson::{CausalDotStore, Identifier, MvReg};
use hashbrown::HashMap;

static TWO: Row =
    Row::time("register/2", "multi-value register, 2 concurrent writers, per writer", Target::AtMost(147.0));
static HUNDRED: Row = Row::time("register/100", "the same, 100 writers", Target::AtMost(150.0));
static THOUSAND: Row = Row::time("register/1000", "the same, 1 000 writers", Target::AtMost(150.0));

pub fn jobs() -> Vec<Job> {
    [(&TWO, 2), (&HUNDRED, 100), (&THOUSAND, 1_000)]
        .into_iter()
        .flat_map(|(row, writers)| merge(row, writers))
        .collect()
}

/// A few writers make a merge too short to time alone: many registers do it in one run.
fn registers(writers: usize) -> usize {
    (2_000 / writers).max(1)
}

/// As many empty states as registers take part.
fn empty<T: Default>(writers: usize) -> Vec<T> {
    (0..registers(writers)).map(|_| T::default()).collect()
}

fn merge(row: &'static Row, writers: usize) -> Vec<Job> {
    let units = registers(writers) * writers;
    let values = move || numbers(1, writers).into_iter().zip(1..);
    vec![
        Job::time(
            row,
            Who::Ours,
            units,
            move || {
                let write = |(value, writer)| {
                    let mut register = Causal::<MvRegister<u64>>::new();
                    register.edit(&mut ours::writer(writer), |register| register.write(value)).0
                };
                values().map(write).collect::<Vec<_>>()
            },
            move |_| empty::<Causal<MvRegister<u64>>>(writers),
            |deltas, registers| {
                for register in registers {
                    deltas.iter().for_each(|delta| assert!(register.merge(delta)));
                }
            },
        ),
        Job::time(
            row,
            Who::Hashbrown,
            units,
            move || values().collect::<Vec<_>>(),
            move |_| empty::<HashMap<u64, u64>>(writers),
            |values, tables| {
                for table in tables {
                    for (value, writer) in values {
                        table.insert(*writer, *value);
                    }
                }
            },
        ),
        Job::time(
            row,
            Who::Crdts,
            units,
            move || {
                let write = |(value, writer)| {
                    let mut register = MVReg::new();
                    register.apply(register.write(value, register.read_ctx().derive_add_ctx(writer)));
                    register
                };
                values().map(write).collect::<Vec<MVReg<u64, u64>>>()
            },
            move |states| {
                let registers = empty::<MVReg<u64, u64>>(writers);
                registers.into_iter().map(|register| (register, states.clone())).collect::<Vec<_>>()
            },
            |_, registers| {
                for (register, states) in registers {
                    states.drain(..).for_each(|state| register.merge(state));
                }
            },
        ),
        Job::time(
            row,
            Who::CrdtKit,
            units,
            move || {
                let write = |(value, writer)| {
                    let mut register = MVRegister::new(writer);
                    register.set(value);
                    register
                };
                values().map(write).collect::<Vec<MVRegister<u64>>>()
            },
            move |_| (0..registers(writers)).map(|_| MVRegister::new(0)).collect::<Vec<_>>(),
            |states, registers| {
                for register in registers {
                    states.iter().for_each(|state| register.merge(state));
                }
            },
        ),
        Job::time(
            row,
            Who::Dson,
            units,
            move || {
                let write = |(value, writer): (u64, u64)| {
                    let id = Identifier::new(0, writer as u16);
                    MvReg::default().write(value.into(), &dson::CausalContext::new(), id)
                };
                values().map(write).collect::<Vec<CausalDotStore<MvReg>>>()
            },
            move |states| {
                let registers = empty::<CausalDotStore<MvReg>>(writers);
                registers.into_iter().map(|register| (register, states.clone())).collect::<Vec<_>>()
            },
            |_, registers| {
                for (register, states) in registers {
                    states.drain(..).for_each(|state| dots::join(register, state));
                }
            },
        ),
    ]
}
