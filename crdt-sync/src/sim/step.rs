//! What may happen in a run. Every step is total: numbers of replicas are taken modulo how many there are, and a step
//! that makes no sense at its moment does nothing, so a schedule stays one when steps are taken out of it.

use std::fmt::Debug;

use super::chance::Chance;
use super::disk::Marker;
use quickcheck::{Arbitrary, Gen};

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<Op> {
    /// An edit.
    Edit(usize, Op),
    /// An edit whose closure fails after doing what it was asked.
    FailedEdit(usize, Op),
    /// Time passes, in milliseconds.
    Wait(u64),
    /// The open record is closed at once.
    Flush(usize),
    /// A repair between neighbours is opened without need.
    Repair(usize, usize),
    /// Nothing passes from one replica to another any more.
    CutOneWay(usize, usize),
    /// Nothing passes between two replicas any more.
    Cut(usize, usize),
    /// All cuts end.
    Heal,
    /// A link breaks and comes back after so many milliseconds.
    Break(usize, usize, u64),
    /// A replica stops where it stands; of its batches that are not flushed, so many are on disk.
    Crash(usize, usize),
    /// It is opened again.
    Restart(usize),
    /// It is closed in good order.
    Close(usize),
    /// Its disk is copied.
    Backup(usize),
    /// It stops, and is opened with the last copy of its disk.
    Restore(usize, Marker),
    /// It stops, and is opened with a copy of another one's disk.
    Clone(usize, usize, Marker),
    /// A machine is put back to a moment ago, as from a snapshot of all its memory and disks: it edits, tells the others,
    /// is put back, and makes another edit with the same dot before anything passes that would tell it.
    Relapse(usize, Op, Op),
    /// The page of a tab that writes under a borrowed id is gone for good, and time passes.
    Vanish(usize),
    /// Its wall clock jumps by so many milliseconds.
    JumpClock(usize, i64),
    /// Its flushes take so long, in milliseconds.
    SlowDisk(usize, u64),
    /// Its next flush fails.
    FailFlush(usize),
    /// Datagrams are lost, so many in a hundred.
    Loss(u64),
    /// A stranger sends something.
    Hostile(usize, Hostile, u64),
    /// A replica says that another one will make no more dots.
    Retire(usize, usize),
    /// A tab asks for an id.
    Borrow(usize),
    /// A tab gives its id back.
    GiveBack(usize),
    /// Somebody carries a request from one replica to another, and brings back the answer; each way takes so many
    /// milliseconds.
    Courier(usize, usize, u64),
    /// A replica says what it has, for a parcel; see [`export_request`](crate::Replica::export_request).
    Request(usize),
    /// A replica packs a parcel: the answer to one of the requests that lie about, or all that it has.
    Pack(usize, usize),
    /// A replica takes in one of the parcels that lie about, whoever it was packed for.
    Unpack(usize, usize, Damage),
}

/// What became of a parcel on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It arrived as it was.
    None,
    /// One bit turned.
    Flipped(u64),
    /// It was cut short.
    Short(u64),
    /// Bytes were added.
    Long(u64),
}

/// What a stranger sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// Random bytes.
    Noise,
    /// A frame that was overheard, with one bit turned.
    Flipped,
    /// A frame that was overheard, cut short.
    Short,
    /// A frame that was overheard, with bytes behind it.
    Long,
    /// A frame that was overheard, of another kind or version: what a newer build might send.
    Unknown,
    /// A frame that was overheard, up to some place, and there a count or length of more than there is.
    Claims,
    /// All that was overheard of one connection, from its beginning: it may be believed, and must do no harm.
    Replay,
}

impl Hostile {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Noise, Self::Flipped, Self::Short, Self::Long, Self::Unknown, Self::Claims, Self::Replay];
}

const HOUR_MS: i64 = 3_600_000;

impl Damage {
    fn draw(chance: &mut Chance) -> Self {
        let place = chance.draw();
        let damage = chance.pick(&[Self::Flipped(place), Self::Short(place), Self::Long(place)]);
        if chance.percent(25) { damage } else { Self::None }
    }
}

impl<Op: Arbitrary + Debug> Step<Op> {
    /// Draws one. Edits, waits and what breaks are about as frequent as each other; parcels are rare, unless replicas are
    /// `apart`.
    pub(super) fn draw(chance: &mut Chance, apart: bool) -> Self {
        let at = chance.below(8) as usize;
        let other = chance.below(8) as usize;
        if apart && chance.percent(40) {
            return Self::draw_parcel(at, other, chance);
        }
        let op = |chance: &mut Chance| Op::arbitrary(&mut Gen::from_size_and_seed(8, chance.draw()));
        match chance.below(124) {
            0..34 => Self::Edit(at, op(chance)),
            34..36 => Self::FailedEdit(at, op(chance)),
            36..52 => Self::Wait(chance.pick(&[1, 3, 10, 30, 100, 300, 1_000])),
            52..54 => Self::Wait(chance.pick(&[4_000, 15_000, 60_000, 120_000])),
            54..55 => Self::Flush(at),
            55..58 => Self::Repair(at, other),
            58..60 => Self::CutOneWay(at, other),
            60..64 => Self::Cut(at, other),
            64..67 => Self::Heal,
            67..71 => Self::Break(at, other, chance.pick(&[0, 5, 50, 1_000])),
            71..77 => Self::Crash(at, chance.below(4) as usize),
            77..82 => Self::Restart(at),
            82..83 => Self::Close(at),
            83..85 => Self::Backup(at),
            85..87 => Self::Restore(at, chance.pick(&[Marker::Stays, Marker::Gone, Marker::Gone, Marker::Matches])),
            87..88 => Self::Clone(at, other, chance.pick(&[Marker::Stays, Marker::Gone])),
            88..90 => Self::JumpClock(at, chance.pick(&[-HOUR_MS, -1_000, 700, HOUR_MS])),
            90..92 => Self::SlowDisk(at, chance.pick(&[1, 20, 200, 1_000])),
            92..93 => Self::FailFlush(at),
            93..94 => Self::Loss(chance.pick(&[0, 10, 50])),
            94..99 => Self::Hostile(at, chance.pick(&Hostile::ALL), chance.draw()),
            99 if chance.percent(15) => Self::Relapse(at, op(chance), op(chance)),
            99 => Self::Retire(at, other),
            100..108 => Self::Borrow(at),
            108..113 => Self::GiveBack(at),
            113 => Self::Vanish(at),
            _ => Self::draw_parcel(at, other, chance),
        }
    }

    fn draw_parcel(at: usize, other: usize, chance: &mut Chance) -> Self {
        // The newest are those that are most often at hand.
        let which = chance.pick(&[0, 0, 0, 1, 2, 5]);
        match chance.below(10) {
            0..3 => Self::Courier(at, other, chance.pick(&[1, 40, 300])),
            3 => Self::Request(at),
            4..6 => Self::Pack(at, which),
            _ => Self::Unpack(at, which, Damage::draw(chance)),
        }
    }

    /// Simpler steps to try in place of this one.
    pub(super) fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Edit(at, op) => op.shrink().map(|op| Self::Edit(*at, op)).take(8).collect(),
            Self::FailedEdit(at, op) => op.shrink().map(|op| Self::FailedEdit(*at, op)).take(8).collect(),
            Self::Wait(ms) if *ms > 1 => vec![Self::Wait(1), Self::Wait(ms / 2)],
            Self::Break(one, other, ms) if *ms > 0 => vec![Self::Break(*one, *other, 0)],
            Self::Crash(at, keep) if *keep > 0 => vec![Self::Crash(*at, 0)],
            _ => Vec::new(),
        }
    }
}
