//! Documents: nodes whose kind is found out at run time.

use super::{
    AddWins, Bounded, Counting, DisableWins, EnableWins, EverySibling, GrowOnly, Growing, LastWriter, RemoveWins,
    Specification, StampedMap,
};
use crate::laws::execution::View;
use crate::laws::op::{Few, NodeOp, NodesOp};
use std::collections::BTreeMap;
use std::format;
use std::marker::PhantomData;
use std::prelude::rust_2024::*;

/// Under each name, for each kind, the meaning of that kind on the edits that concern it. Removing a name covers the
/// edits it saw of all kinds that can be removed.
#[derive(Debug)]
pub struct Nodes<K>(PhantomData<K>);

/// What a node shows, by kind; those with nothing under them are left out. As text, as there is no one type for it.
pub type Shown = BTreeMap<&'static str, String>;

fn show<S: Specification>(shown: &mut Shown, kind: &'static str, view: &View<'_, S::Op>) {
    if !S::is_bottom(view) {
        shown.insert(kind, format!("{:?}", S::value(view)));
    }
}

/// The edits of one kind in `view`.
macro_rules! of_kind {
    ($view:expr, $kind:ident) => {
        $view.project(|op| if let NodeOp::$kind(op) = op { Some(op) } else { None })
    };
}

fn under<K: Few>(view: &View<'_, NodesOp<K>>, name: &K) -> Shown {
    let removals = view.filter(|event| matches!(event.op, NodesOp::Remove(it) if it == name));
    let edits = view.project(|op| match op {
        NodesOp::At(it, op) if it == name => Some(op),
        _ => None,
    });
    let left = edits.unseen_by(&removals);
    let mut shown = Shown::new();
    show::<Counting>(&mut shown, "Counter", &of_kind!(left, Counter));
    show::<EnableWins>(&mut shown, "EwFlag", &of_kind!(left, Flag));
    show::<AddWins<u8>>(&mut shown, "OrSet", &of_kind!(left, Set));
    show::<EverySibling<u8>>(&mut shown, "MvRegister", &of_kind!(left, Register));
    show::<LastWriter<u8>>(&mut shown, "LwwRegister", &of_kind!(left, Stamped));
    show::<StampedMap<u8, u8>>(&mut shown, "LwwMap", &of_kind!(left, StampedMap));
    let boxed = left.project(|op| if let NodeOp::Map(op) = op { Some(&**op) } else { None });
    show::<Nodes<u8>>(&mut shown, "OrMap", &boxed);
    let boxed = left.project(|op| if let NodeOp::Record(op) = op { Some(&**op) } else { None });
    show::<Nodes<String>>(&mut shown, "Record", &boxed);
    // These stay, whatever is removed.
    show::<Growing>(&mut shown, "GCounter", &of_kind!(edits, Growing));
    show::<Bounded>(&mut shown, "BoundedCounter", &of_kind!(edits, Bounded));
    show::<DisableWins>(&mut shown, "DwFlag", &of_kind!(edits, DisableWins));
    show::<RemoveWins<u8>>(&mut shown, "RwSet", &of_kind!(edits, RemoveWins));
    show::<Counting>(&mut shown, "PnCounter", &of_kind!(edits, Totals));
    show::<GrowOnly<u8>>(&mut shown, "GSet", &of_kind!(edits, GrowingSet));
    shown
}

impl<K: Few> Specification for Nodes<K> {
    type Op = NodesOp<K>;
    /// By name.
    type Value = BTreeMap<K, Shown>;

    fn value(view: &View<'_, Self::Op>) -> Self::Value {
        // Where nothing is, no document inside is looked for either: the search has an end.
        if view.is_empty() {
            return BTreeMap::new();
        }
        let nodes = K::few().into_iter().map(|name| {
            let shown = under(view, &name);
            (name, shown)
        });
        nodes.filter(|(_, shown)| !shown.is_empty()).collect()
    }

    fn is_bottom(view: &View<'_, Self::Op>) -> bool {
        Self::value(view).is_empty()
    }

    fn refuses(view: &View<'_, Self::Op>, writer: usize, op: &Self::Op) -> bool {
        let NodesOp::At(name, NodeOp::Bounded(op)) = op else { return false };
        let rights = view.project(|other| match other {
            NodesOp::At(it, NodeOp::Bounded(op)) if it == name => Some(op),
            _ => None,
        });
        Bounded::refuses(&rights, writer, op)
    }
}
