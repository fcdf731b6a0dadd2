//! What two people see who edit at the same time: each a sentence, tried in every order and by every way to merge.

mod replica;

use crdt_core::{
    BoundedCounter, Causal, Causality, Change, Counter, Document, DwFlag, EditError, EwFlag, GCounter, GSet, LwwMap,
    LwwRegister, Max, Merge, Min, MvRegister, Observed, OrMap, OrSet, PnCounter, RwSet, Step, Timestamp, Value,
    VersionVector,
};
use replica::{Replica, concurrently, done, id};

fn at(ms: u64) -> Timestamp {
    Timestamp::new(ms, 0)
}

mod sets {
    use super::*;

    type Tags = OrSet<String>;

    #[test]
    fn inserting_wins_over_removing_at_the_same_time() {
        let result = concurrently::<Tags>(
            |tags| done(tags.insert("x")),
            |tags| done(tags.remove("x")),
            |tags| done(tags.insert("x")),
        );
        assert!(result.contains("x"));
    }

    #[test]
    fn two_insertions_of_one_element_are_one_element() {
        let result = concurrently::<Tags>(|_| {}, |tags| done(tags.insert("x")), |tags| done(tags.insert("x")));
        assert_eq!((result.len(), result.live_len()), (1, 2));
        // A removal that has seen both takes both.
        let mut later = Replica { writer: crdt_core::Writer::new(id(3)), state: result };
        let _ = later.edit(|tags| assert_eq!(tags.remove("x"), 2));
        assert!(later.state.is_empty() && later.state.live_len() == 0);
    }

    #[test]
    fn two_removals_of_one_element_agree() {
        let result = concurrently::<Tags>(
            |tags| done(tags.insert("x")),
            |tags| done(tags.remove("x")),
            |tags| done(tags.remove("x")),
        );
        assert!(result.is_empty());
    }

    #[test]
    fn clearing_takes_what_was_there_and_nothing_that_came_meanwhile() {
        let result = concurrently::<Tags>(
            |tags| {
                tags.insert("a");
                tags.insert("b");
            },
            |tags| done(tags.clear()),
            |tags| done(tags.insert("c")),
        );
        assert!(result.iter().eq(["c"]));
    }

    #[test]
    fn removing_wins_in_a_remove_wins_set() {
        let result = concurrently::<RwSet<String>>(
            |rights| rights.insert("mallory"),
            |rights| rights.insert("mallory"),
            |rights| rights.remove("mallory"),
        );
        assert!(!result.contains("mallory"));
        let mut later = Replica { writer: crdt_core::Writer::new(id(3)), state: result };
        let _ = later.edit(|rights| rights.insert("mallory"));
        assert!(later.state.contains("mallory"), "an insertion that has seen the removal counts");
    }

    #[test]
    fn removing_what_is_not_there_still_keeps_it_out_of_a_remove_wins_set() {
        let result = concurrently::<RwSet<u8>>(|_| {}, |rights| rights.remove(1u8), |rights| rights.insert(1u8));
        assert!(!result.contains(&1));
    }

    #[test]
    fn a_grow_only_set_keeps_both() {
        let result = concurrently::<GSet<u8>>(|_| {}, |set| done(set.insert(1)), |set| done(set.insert(2)));
        assert!(result.iter().eq(&[1, 2]));
    }

    #[test]
    fn a_removal_takes_a_dot_of_its_own() {
        let mut a = Replica::<Tags>::new(1);
        let _ = a.edit(|tags| done(tags.insert("x")));
        let removal = a.edit(|tags| done(tags.remove("x")));
        assert_eq!((removal.own().len(), removal.retired().len(), removal.entries().len()), (1, 1, 0));
        assert_eq!((a.writer.last(), a.state.seen().len()), (2, 2));
    }

    #[test]
    fn what_is_inserted_and_removed_in_one_edit_leaves_only_its_dot() {
        let mut a = Replica::<Tags>::new(1);
        let delta = a.edit(|tags| {
            tags.insert("x");
            tags.insert("y");
            tags.remove("x");
        });
        assert_eq!((delta.own().len(), delta.retired().len(), delta.entries().len()), (2, 0, 1));
        let mut b = Causal::<Tags>::new();
        b.merge(&delta);
        assert_eq!(b, a.state);
    }

    #[test]
    fn a_group_of_an_insertion_and_its_removal_takes_the_insertion_that_came_before() {
        let mut a = Replica::<Tags>::new(1);
        let insert = a.edit(|tags| done(tags.insert("x")));
        let mut b = Causal::<Tags>::new();
        b.merge(&insert);
        let mut group = insert;
        group.merge(a.edit(|tags| done(tags.remove("x"))));
        let mut by_value = b.clone();
        assert!(b.merge(&group) && b.is_empty());
        assert!(by_value.merge(group) && by_value == b);
        assert_eq!(b, a.state);
    }

    /// The run on which Bieniusa et al., *An optimized conflict-free replicated set*, 2012, tell the sets of the
    /// literature apart: a third replica hears of two insertions of one element and of a removal that saw only one.
    #[test]
    fn a_third_replica_hears_of_two_insertions_and_of_the_removal_of_one_in_any_order() {
        let mut a = Replica::<Tags>::new(1);
        let first = a.edit(|tags| done(tags.insert("x")));
        let mut b = Replica::<Tags>::new(2);
        let second = b.edit(|tags| done(tags.insert("x")));
        let removal = a.edit(|tags| done(tags.remove("x")));
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut c = Replica::<Tags>::new(3);
            for at in order {
                c.merge([&first, &second, &removal][at]);
            }
            assert!(c.state.iter().eq(["x"]), "{order:?}");
        }
    }
}

mod flags {
    use super::*;

    #[test]
    fn enabling_wins_in_the_one_and_disabling_in_the_other() {
        let alarm = concurrently::<EwFlag>(|flag| flag.enable(), |flag| flag.disable(), |flag| flag.enable());
        assert!(alarm.is_set());
        let consent = concurrently::<DwFlag>(|flag| flag.enable(), |flag| flag.disable(), |flag| flag.enable());
        assert!(!consent.is_set());
    }

    #[test]
    fn a_flag_that_both_disable_is_unset_and_can_be_set_again() {
        for disabled in [
            concurrently::<EwFlag>(|flag| flag.enable(), |flag| flag.disable(), |flag| flag.disable()).is_set(),
            concurrently::<DwFlag>(|flag| flag.enable(), |flag| flag.disable(), |flag| flag.disable()).is_set(),
        ] {
            assert!(!disabled);
        }
        let mut a = Replica::<DwFlag>::new(1);
        let _ = a.edit(|flag| flag.disable());
        let _ = a.edit(|flag| flag.enable());
        assert!(a.state.is_set());
    }
}

mod registers {
    use super::*;

    #[test]
    fn concurrent_writes_stand_side_by_side_until_somebody_writes_over_both() {
        let conflict = concurrently::<MvRegister<String>>(
            |title| title.write("Draft"),
            |title| title.write("Notes"),
            |title| title.write("Ideas"),
        );
        assert_eq!(conflict.values(), ["Notes", "Ideas"]);
        assert!(conflict.is_conflict());
        let mut later = Replica { writer: crdt_core::Writer::new(id(3)), state: conflict };
        let _ = later.edit(|title| title.write("Both"));
        assert_eq!(later.state.values(), ["Both"]);
    }

    /// Dynamo's stateless caller: it read before another write came, and names what it read.
    #[test]
    fn writing_over_named_siblings_leaves_a_later_one_standing() {
        let mut server = Replica::<MvRegister<String>>::new(1);
        let _ = server.edit(|cart| cart.write("milk"));
        let read = server.state.siblings();
        let _ = server.edit(|cart| cart.write_over(&read.dots, "milk, bread"));
        let _ = server.edit(|cart| cart.write_over(&read.dots, "milk, eggs"));
        assert_eq!(server.state.values(), ["milk, bread", "milk, eggs"]);
        // Interleaved callers leave no more siblings than there were writes at one time.
        let read = server.state.siblings();
        let _ = server.edit(|cart| cart.write_over(&read.dots, "milk, bread, eggs"));
        assert_eq!(server.state.values(), ["milk, bread, eggs"]);
    }

    /// DeCandia et al., *Dynamo: Amazon's Highly Available Key-value Store*, 2007, figure 3: the object's versions D1 to
    /// D5, written at the nodes Sx, Sx, Sy, Sz and Sx.
    #[test]
    fn the_versions_of_an_object_in_dynamos_figure_3() {
        let mut sx = Replica::<MvRegister<String>>::new(1);
        let _ = sx.edit(|object| object.write("D1"));
        let d2 = sx.edit(|object| object.write("D2"));
        let (mut sy, mut sz) = (sx.fork(2), sx.fork(3));
        let d3 = sy.edit(|object| object.write("D3"));
        let d4 = sz.edit(|object| object.write("D4"));
        assert!(sy.state.seen().version() > sx.state.seen().version());
        assert_eq!(sy.state.seen().version().compare(&sz.state.seen().version()), Causality::Concurrent);
        for order in [[&d2, &d3, &d4], [&d4, &d3, &d2], [&d3, &d2, &d4]] {
            let mut reader = Causal::<MvRegister<String>>::new();
            order.iter().for_each(|delta| done(reader.merge(*delta)));
            assert_eq!(reader.values(), ["D3", "D4"], "D2 is overwritten, the two others wait for a reconciliation");
        }
        sx.merge(&d3);
        sx.merge(&d4);
        let d5 = sx.edit(|object| object.write("D5"));
        for late in [&mut sy, &mut sz] {
            late.merge(&d5);
            late.merge(&d3);
            late.merge(&d4);
            assert_eq!(late.state.values(), ["D5"]);
        }
        let version = sx.state.seen().version();
        assert_eq!([1, 2, 3].map(|node| version.get(id(node))), [3, 1, 1], "as in the figure");
    }

    #[test]
    fn of_two_writes_at_one_time_the_later_stamp_wins() {
        let result = concurrently::<LwwRegister<String>>(
            |theme| theme.write(at(9), "plain"),
            |theme| theme.write(at(7), "light"),
            |theme| theme.write(at(5), "dark"),
        );
        assert_eq!(result.get().unwrap(), "light");
        assert_eq!(result.siblings().len(), 2);
    }

    #[test]
    fn a_write_that_loses_is_no_change_for_the_reader() {
        let mut a = Replica::<LwwRegister<u8>>::new(1);
        let mut b = Replica::<LwwRegister<u8>>::new(2);
        let _ = a.edit(|theme| theme.write(at(7), 1));
        let loses = b.edit(|theme| theme.write(at(5), 2));
        assert!(a.state.merge_changes(&loses).is_empty() && a.state.siblings().len() == 2);
        let wins = b.edit(|theme| theme.write(at(9), 3));
        let [change] = &a.state.merge_changes(&wins)[..] else { panic!("one change") };
        let values = |value| Observed::Values(vec![Value::Int(value)]);
        assert_eq!((&change.before, &change.after), (&values(1), &values(3)));
    }

    #[test]
    fn of_two_equal_stamps_the_greater_replica_wins() {
        let result = concurrently::<LwwRegister<String>>(
            |_| {},
            |theme| theme.write(at(5), "z"),
            |theme| theme.write(at(5), "a"),
        );
        assert_eq!(result.get().unwrap(), "a", "replica 2's, though its value is less");
    }

    #[test]
    fn clearing_takes_back_what_was_read_and_leaves_what_is_written_meanwhile() {
        let values = concurrently::<MvRegister<u8>>(
            |title| title.write(1),
            |title| assert_eq!(title.clear(), 1),
            |title| title.write(2),
        );
        assert_eq!(values.values(), [&2]);
        let lww = concurrently::<LwwRegister<u8>>(
            |theme| theme.write(at(9), 1),
            |theme| assert_eq!(theme.clear(), 1),
            |theme| theme.write(at(1), 2),
        );
        assert_eq!(lww.get(), Some(&2));
    }
}

mod counters {
    use super::*;

    #[test]
    fn what_both_count_is_added_up() {
        let one = concurrently::<GCounter>(
            |n| n.increment(1).unwrap(),
            |n| n.increment(2).unwrap(),
            |n| {
                n.increment(3).unwrap();
            },
        );
        assert_eq!(one.value(), 6);
        let two = concurrently::<PnCounter>(
            |n| n.increment(1).unwrap(),
            |n| n.decrement(9).unwrap(),
            |n| {
                n.increment(3).unwrap();
            },
        );
        assert_eq!(two.value(), -5);
        let three = concurrently::<Counter>(|n| n.add(1), |n| n.sub(9), |n| n.add(3));
        assert_eq!(three.value(), -5);
    }

    #[test]
    fn what_comes_twice_counts_once_where_a_counter_stands_alone() {
        let (mut a, mut b) = (PnCounter::new(), PnCounter::new());
        let up = a.increment(id(1), 5).unwrap();
        let more = a.increment(id(1), 2).unwrap();
        let down = b.decrement(id(2), 3).unwrap();
        for delta in [&more, &up, &more, &down, &up] {
            a.merge(delta);
            b.merge(delta);
        }
        assert_eq!((a.value(), b.value()), (4, 4));
        assert_eq!(a, b);
    }

    #[test]
    fn counting_nothing_is_no_edit_where_a_counter_stands_alone() {
        let mut a = GCounter::new();
        let delta = a.increment(id(1), 0).unwrap();
        assert_eq!((&a, &delta), (&GCounter::new(), &GCounter::new()));
        let mut b = PnCounter::new();
        let delta = b.increment(id(1), 0).unwrap();
        assert_eq!((&b, &delta), (&PnCounter::new(), &PnCounter::new()));
        let mut c = BoundedCounter::new();
        let delta = c.mint(id(1), 0).unwrap();
        assert_eq!((&c, &delta), (&BoundedCounter::new(), &BoundedCounter::new()));
    }

    #[test]
    fn rights_are_spent_only_by_who_holds_them() {
        let [shop, van] = [id(1), id(2)];
        let result = concurrently::<BoundedCounter>(
            |stock| {
                stock.mint(10).unwrap();
                stock.grant(van, 4).unwrap();
            },
            |stock| {
                stock.spend(6).unwrap();
                assert_eq!(stock.spend(1), Err(EditError::InsufficientRights { here: 0, elsewhere: 4 }));
            },
            |stock| {
                stock.spend(4).unwrap();
                assert_eq!(stock.spend(1), Err(EditError::InsufficientRights { here: 0, elsewhere: 6 }));
            },
        );
        assert_eq!((result.value(), result.available(shop), result.available(van)), (0, 0, 0));
    }

    #[test]
    fn granting_while_spending_uses_each_right_once() {
        let result = concurrently::<BoundedCounter>(
            |stock| {
                stock.mint(10).unwrap();
                stock.grant(id(2), 5).unwrap();
            },
            |stock| stock.grant(id(2), 5).unwrap(),
            |stock| stock.spend(5).unwrap(),
        );
        assert_eq!((result.value(), result.available(id(1)), result.available(id(2))), (5, 0, 5));
    }

    #[test]
    fn a_decrement_that_would_go_below_zero_is_refused_and_takes_its_whole_edit_back() {
        let mut a = Replica::<OrMap<String, Counter>>::new(1);
        let _ = a.edit(|stock| stock.entry("nails").add(3));
        let before = (a.state.clone(), a.writer.last());
        let refused = a.state.try_edit(&mut a.writer, |stock| {
            stock.entry("screws").add(1);
            stock.entry("nails").checked_sub(5)
        });
        assert_eq!(refused.unwrap_err(), EditError::BelowZero { value: 3 });
        assert_eq!((a.state, a.writer.last()), before);
    }
}

mod maps {
    use super::*;

    type Stock = OrMap<String, Counter>;

    #[test]
    fn removing_a_key_leaves_only_what_was_counted_meanwhile() {
        let result = concurrently::<Stock>(
            |stock| stock.entry("nails").add(5),
            |stock| done(stock.remove("nails")),
            |stock| stock.entry("nails").add(2),
        );
        assert_eq!(result.get("nails").unwrap().value(), 2);
    }

    #[test]
    fn a_key_that_both_remove_is_gone_and_starts_afresh() {
        let result = concurrently::<Stock>(
            |stock| stock.entry("nails").add(5),
            |stock| done(stock.remove("nails")),
            |stock| done(stock.remove("nails")),
        );
        assert!(!result.contains_key("nails") && result.is_empty());
        let mut later = Replica { writer: crdt_core::Writer::new(id(3)), state: result };
        let _ = later.edit(|stock| stock.entry("nails").add(1));
        assert_eq!(later.state.get("nails").unwrap().value(), 1);
    }

    #[test]
    fn removing_a_map_in_a_map_leaves_only_what_came_meanwhile_however_deep() {
        type Rooms = OrMap<String, OrMap<String, OrSet<String>>>;
        let result = concurrently::<Rooms>(
            |rooms| {
                rooms.entry("kitchen").entry("shelf").insert("cup");
                rooms.entry("kitchen").entry("table").insert("plate");
            },
            |rooms| done(rooms.remove("kitchen")),
            |rooms| done(rooms.entry("kitchen").entry("shelf").insert("bowl")),
        );
        let kitchen = result.get("kitchen").unwrap();
        assert!(kitchen.keys().eq(["shelf"]));
        assert!(kitchen.get("shelf").unwrap().iter().eq(["bowl"]));
    }

    #[test]
    fn an_emptied_value_and_an_absent_key_are_the_same() {
        let mut a = Replica::<OrMap<String, OrSet<u8>>>::new(1);
        let _ = a.edit(|map| done(map.entry("k").insert(1)));
        let _ = a.edit(|map| done(map.entry("k").remove(&1)));
        assert!(!a.state.contains_key("k") && a.state.is_empty());
    }

    #[test]
    fn in_a_last_writer_map_a_removal_ranks_as_a_write() {
        let result = |removed_at| {
            concurrently::<LwwMap<String, u8>>(
                |map| map.insert(at(9), "k", 1),
                |map| map.insert(at(5), "k", 2),
                move |map| map.remove(at(removed_at), "k"),
            )
        };
        assert_eq!(result(7).get("k"), None);
        assert_eq!(result(3).get("k"), Some(&2));
    }
}

mod structs {
    use super::*;

    crdt_core::fields! {
        struct Cart { items: OrMap<String, Counter>, note: MvRegister<String>, paid: EwFlag }
    }

    #[test]
    fn edits_of_different_fields_do_not_meet() {
        let cart = concurrently::<Cart>(
            |_| {},
            |cart| {
                cart.items().entry("milk").add(2);
                cart.paid().enable();
            },
            |cart| cart.note().write("no plastic"),
        );
        assert_eq!(cart.items().get("milk").unwrap().value(), 2);
        assert_eq!(cart.note().values(), ["no plastic"]);
        assert!(cart.paid().is_set());
    }

    #[test]
    fn a_program_without_the_type_edits_the_same_data() {
        let mut app = Replica::<Cart>::new(1);
        let add = app.edit(|cart| cart.items().entry("milk").add(2));
        let mut relay = Replica::<Document>::new(2);
        relay.merge(&crdt_core::Delta::decode(&add.encode()).unwrap());
        let more = relay.edit(|document| document.map("items").counter("milk").add(1));
        let removal = app.edit(|cart| done(cart.items().remove("milk")));
        app.merge(&crdt_core::Delta::decode(&more.encode()).unwrap());
        relay.merge(&crdt_core::Delta::decode(&removal.encode()).unwrap());
        assert_eq!(app.state.items().get("milk").unwrap().value(), 1);
        assert_eq!(relay.state.map("items").unwrap().counter("milk").unwrap().value(), 1);
        assert_eq!(app.state.encode(), relay.state.encode());
    }

    #[test]
    fn replicas_that_disagree_about_the_kind_of_a_field_lose_nothing() {
        let result = concurrently::<Document>(
            |_| {},
            |document| document.counter("size").add(3),
            |document| document.register("size").write("large"),
        );
        assert_eq!(result.counter("size").unwrap().value(), 3);
        assert_eq!(result.register("size").unwrap().values(), [&Value::Text("large".into())]);
    }

    #[test]
    fn a_name_of_a_document_is_removed_with_all_that_can_be() {
        let mut a = Replica::<Document>::new(1);
        let _ = a.edit(|document| {
            document.counter("size").add(3);
            document.map("size").set("k").insert(1);
            document.g_counter("size").increment(2).unwrap();
        });
        let mut b = a.fork(2);
        let removal = a.edit(|document| assert_eq!(document.remove("size"), 2));
        let more = b.edit(|document| document.counter("size").add(1));
        a.merge(&more);
        b.merge(&removal);
        assert_eq!(a.state, b.state);
        assert_eq!(a.state.counter("size").unwrap().value(), 1);
        assert!(a.state.map("size").is_none());
        assert_eq!(a.state.g_counter("size").unwrap().value(), 2, "running totals can't be removed");
    }

    /// Both stores change, although their changes have one path.
    #[test]
    fn changes_of_two_kinds_under_one_name_are_both_told() {
        let mut a = Replica::<Document>::new(1);
        let delta = a.edit(|document| {
            document.rw_set("a").remove(1);
            document.set("a").insert(1);
        });
        let change = Change {
            path: vec![Step::Field("a".into()), Step::Element(Value::Int(1))],
            before: Observed::Absent,
            after: Observed::Present,
        };
        assert_eq!(Causal::<Document>::new().merge_changes(&delta), [change]);
    }
}

mod lattices {
    use super::*;

    #[test]
    fn part_by_part_each_keeps_its_own() {
        let mut stats = (Some(Max(3)), Some(Min("m")), [(id(1), 2)].into_iter().collect::<VersionVector>());
        assert!(stats.merge((Some(Max(2)), Some(Min("a")), [(id(2), 1)].into_iter().collect())));
        assert_eq!((stats.0, stats.1), (Some(Max(3)), Some(Min("a"))));
        assert_eq!((stats.2.get(id(1)), stats.2.get(id(2))), (2, 1));
        assert!(!stats.merge((None, None, VersionVector::new())));
    }
}
