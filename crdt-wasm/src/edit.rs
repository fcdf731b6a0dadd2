//! One edit of one place, found by names and kinds.

use crdt_sync::crdt_core::types::record::{Name as Named, NodeEntry, Nodes};
use crdt_sync::crdt_core::{
    BoundedCounter, Counter, Document, DocumentMap, DwFlag, Edit, EditError, EwFlag, GCounter, GSet, Kind, LwwMap,
    LwwRegister, MvRegister, OrSet, PnCounter, ReplicaId, RwSet, Timestamp, Value,
};

use crate::code::Code;
use crate::handle::{Handle, Name};

/// What is done.
pub(crate) enum Op<'v> {
    Add(i64),
    Grant(ReplicaId, u64),
    Flag(bool),
    Write(&'v Value, Timestamp),
    WriteEntry(&'v Value, &'v Value, Timestamp),
    Insert(&'v Value),
    Remove(&'v Value, Timestamp),
    Clear(Timestamp),
}

/// Nothing, or why not.
type Done = Result<(), Code>;

/// Does it at the end of the way.
pub(crate) fn apply(root: &mut Edit<'_, Document>, way: &[&Handle], op: &Op<'_>) -> Done {
    let Some((first, rest)) = way.split_first() else { return record(root, op) };
    let Name::Field(name) = &first.name else { return Err(Code::Schema) };
    match first.kind {
        Kind::Record => apply(&mut root.record(name), rest, op),
        Kind::OrMap => apply_below(&mut root.map(name.as_str()), rest, op),
        Kind::GCounter => g_counter(&mut root.g_counter(name), op),
        Kind::PnCounter => pn_counter(&mut root.pn_counter(name), op),
        Kind::BoundedCounter => bounded_counter(&mut root.bounded_counter(name), op),
        Kind::DwFlag => dw_flag(&mut root.dw_flag(name), op),
        Kind::GSet => g_set(&mut root.g_set(name), op),
        Kind::RwSet => rw_set(&mut root.rw_set(name), op),
        _ => removable(root, name.clone(), first.kind, op),
    }
}

fn apply_below(map: &mut Edit<'_, DocumentMap>, way: &[&Handle], op: &Op<'_>) -> Done {
    let Some((first, rest)) = way.split_first() else { return or_map(map, op) };
    let Name::Key(key) = &first.name else { return Err(Code::Schema) };
    match first.kind {
        Kind::Record => {
            // Not offered by the cursor, as only what can be removed may stand below a key: handles see to that.
            let mut record = map.inside::<Value, Document>(
                key.clone(),
                |nodes, key| nodes.record(key.clone()),
                |key, entry| (key.clone(), NodeEntry::Record(Box::new(entry))),
            );
            apply(&mut record, rest, op)
        }
        Kind::OrMap => apply_below(&mut map.map(key.clone()), rest, op),
        _ => removable(map, key.clone(), first.kind, op),
    }
}

/// Kinds that may stand anywhere.
fn removable<K: Named>(nodes: &mut Edit<'_, Nodes<K>>, name: K, kind: Kind, op: &Op<'_>) -> Done {
    match kind {
        Kind::Counter => counter(&mut nodes.counter(name), op),
        Kind::LwwRegister => lww_register(&mut nodes.lww(name), op),
        Kind::MvRegister => mv_register(&mut nodes.register(name), op),
        Kind::EwFlag => ew_flag(&mut nodes.flag(name), op),
        Kind::OrSet => or_set(&mut nodes.set(name), op),
        Kind::LwwMap => lww_map(&mut nodes.lww_map(name), op),
        _ => Err(Code::Schema),
    }
}

/// Amounts that only grow.
fn amount(by: i64) -> Result<u64, Code> {
    u64::try_from(by).map_err(|_| Code::OutOfRange)
}

fn g_counter(counter: &mut Edit<'_, GCounter>, op: &Op<'_>) -> Done {
    let Op::Add(by) = *op else { return Err(Code::Schema) };
    Ok(counter.increment(amount(by)?)?)
}

fn pn_counter(counter: &mut Edit<'_, PnCounter>, op: &Op<'_>) -> Done {
    match *op {
        Op::Add(by) if by < 0 => Ok(counter.decrement(by.unsigned_abs())?),
        Op::Add(by) => Ok(counter.increment(by.unsigned_abs())?),
        _ => Err(Code::Schema),
    }
}

fn bounded_counter(counter: &mut Edit<'_, BoundedCounter>, op: &Op<'_>) -> Done {
    let done = match *op {
        Op::Add(by) if by < 0 => counter.spend(by.unsigned_abs()),
        Op::Add(by) => counter.mint(by.unsigned_abs()),
        Op::Grant(to, amount) => counter.grant(to, amount),
        _ => return Err(Code::Schema),
    };
    match done {
        // Not a mistake: an answer, which the caller reads off the state.
        Ok(()) | Err(EditError::InsufficientRights { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn counter(counter: &mut Edit<'_, Counter>, op: &Op<'_>) -> Done {
    match *op {
        Op::Add(by) => counter.add(by),
        Op::Clear(_) => {
            counter.clear();
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn ew_flag(flag: &mut Edit<'_, EwFlag>, op: &Op<'_>) -> Done {
    match *op {
        Op::Flag(true) => flag.enable(),
        Op::Flag(false) | Op::Clear(_) => flag.disable(),
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn dw_flag(flag: &mut Edit<'_, DwFlag>, op: &Op<'_>) -> Done {
    match *op {
        Op::Flag(true) => flag.enable(),
        Op::Flag(false) => flag.disable(),
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn lww_register(register: &mut Edit<'_, LwwRegister<Value>>, op: &Op<'_>) -> Done {
    match *op {
        Op::Write(value, stamp) => register.write(stamp, value.clone()),
        Op::Clear(_) => {
            register.clear();
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn mv_register(register: &mut Edit<'_, MvRegister<Value>>, op: &Op<'_>) -> Done {
    match *op {
        Op::Write(value, _) => register.write(value.clone()),
        Op::Clear(_) => {
            register.clear();
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn g_set(set: &mut Edit<'_, GSet<Value>>, op: &Op<'_>) -> Done {
    let Op::Insert(value) = *op else { return Err(Code::Schema) };
    set.insert(value.clone());
    Ok(())
}

fn or_set(set: &mut Edit<'_, OrSet<Value>>, op: &Op<'_>) -> Done {
    match *op {
        Op::Insert(value) => {
            set.insert(value.clone());
        }
        Op::Remove(value, _) => {
            set.remove(value);
        }
        Op::Clear(_) => {
            set.clear();
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn rw_set(set: &mut Edit<'_, RwSet<Value>>, op: &Op<'_>) -> Done {
    match *op {
        Op::Insert(value) => set.insert(value.clone()),
        Op::Remove(value, _) => set.remove(value.clone()),
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn lww_map(map: &mut Edit<'_, LwwMap<Value, Value>>, op: &Op<'_>) -> Done {
    match *op {
        Op::WriteEntry(key, value, stamp) => map.insert(stamp, key.clone(), value.clone()),
        Op::Remove(key, stamp) => map.remove(stamp, key.clone()),
        Op::Clear(stamp) => {
            // A removal is a write of absence, and there is one for each key.
            let keys: Vec<Value> = map.view().into_iter().flat_map(LwwMap::iter).map(|(key, _)| key.clone()).collect();
            keys.into_iter().for_each(|key| map.remove(stamp, key));
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn or_map(map: &mut Edit<'_, DocumentMap>, op: &Op<'_>) -> Done {
    match *op {
        Op::Remove(key, _) => {
            map.remove(key.clone());
        }
        Op::Clear(_) => {
            map.retire_all();
        }
        _ => return Err(Code::Schema),
    }
    Ok(())
}

fn record(record: &mut Edit<'_, Document>, op: &Op<'_>) -> Done {
    let Op::Clear(_) = *op else { return Err(Code::Schema) };
    let names: Vec<String> = record.view().into_iter().flat_map(Nodes::iter).map(|(name, _)| name.clone()).collect();
    for name in names {
        record.remove(name);
    }
    Ok(())
}
