//! A store with something of everything, for the runs of this crate.

use crdt_core::laws::Enrolled;
use crdt_core::laws::Refused;
use crdt_core::laws::op::{CounterOp, Either, MapOp, RegisterOp, SetOp, StampedOp};
use crdt_core::laws::spec::{AddWins, AddWinsMap, BothFields, Counting, EverySibling, LastWriter, Specification};
use crdt_core::{Counter, LwwRegister, MvRegister, OrMap, OrSet, PnCounter};

crdt_core::fields! {
    /// What a household keeps track of.
    pub struct Household {
        stock: OrMap<String, Counter>,
        lists: OrMap<u8, OrMap<u8, OrSet<u8>>>,
        tags: OrSet<u8>,
        balance: PnCounter,
        note: MvRegister<u8>,
        title: LwwRegister<u8>,
    }
}

/// What may be asked of it.
pub type HouseholdOp = Either<
    Either<MapOp<String, CounterOp>, MapOp<u8, MapOp<u8, SetOp<u8>>>>,
    Either<Either<SetOp<u8>, CounterOp>, Either<RegisterOp<u8>, StampedOp<u8>>>,
>;

/// What it means: each field by itself.
type Meaning = BothFields<
    BothFields<AddWinsMap<String, Counting>, AddWinsMap<u8, AddWinsMap<u8, AddWins<u8>>>>,
    BothFields<BothFields<AddWins<u8>, Counting>, BothFields<EverySibling<u8>, LastWriter<u8>>>,
>;

impl Enrolled for Household {
    type Spec = Meaning;

    fn perform(cursor: &mut Self::Cursor<'_>, op: &HouseholdOp) -> Result<(), Refused> {
        match op {
            Either::First(Either::First(op)) => OrMap::perform(&mut cursor.stock(), op),
            Either::First(Either::Second(op)) => OrMap::perform(&mut cursor.lists(), op),
            Either::Second(Either::First(Either::First(op))) => {
                <OrSet<u8> as Enrolled>::perform(&mut cursor.tags(), op)
            }
            Either::Second(Either::First(Either::Second(op))) => {
                <PnCounter as Enrolled>::perform(&mut cursor.balance(), op)
            }
            Either::Second(Either::Second(Either::First(op))) => MvRegister::perform(&mut cursor.note(), op),
            Either::Second(Either::Second(Either::Second(op))) => {
                <LwwRegister<u8> as Enrolled>::perform(&mut cursor.title(), op)
            }
        }
    }

    fn read(&self) -> <Meaning as Specification>::Value {
        let maps = (self.stock().read(), self.lists().read());
        let plain = (Enrolled::read(self.tags()), Enrolled::read(self.balance()));
        (maps, (plain, (self.note().read(), Enrolled::read(self.title()))))
    }
}
