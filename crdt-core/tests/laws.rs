//! Every type under the laws, a line for each: alone where it may stand alone, in a causal store, and nested.

use crdt_core::laws::{Plain, Store};
use crdt_core::{
    BoundedCounter, Counter, Document, DotSet, DwFlag, EwFlag, GCounter, GSet, LwwMap, LwwRegister, Max, Min,
    MvRegister, OrMap, OrSet, PnCounter, RwSet, Timestamp, VersionVector,
};

crdt_core::fields! {
    /// A struct whose fields are of every sort: nested, multi-valued, and such as may not be removed.
    struct Cart { items: OrMap<String, Counter>, note: MvRegister<String>, paid: EwFlag, likes: PnCounter }
}
crdt_core::enrol_fields!(Cart {
    items: OrMap<String, Counter>,
    note: MvRegister<String>,
    paid: EwFlag,
    likes: PnCounter,
});

crdt_core::fields! {
    /// A struct that may live under a key.
    struct Task { title: LwwRegister<String>, tags: OrSet<u8>, done: EwFlag }
}
crdt_core::enrol_fields!(Task { title: LwwRegister<String>, tags: OrSet<u8>, done: EwFlag });

crdt_core::law_suite! {
    // Alone: plain lattices, merged with the one trait.
    g_counter_alone: Plain<GCounter>;
    pn_counter_alone: Plain<PnCounter>;
    bounded_counter_alone: Plain<BoundedCounter>;
    lww_register_alone: Plain<LwwRegister<u64>>;
    g_set_alone: Plain<GSet<String>>;
    max_and_min: Plain<(Option<Max<u64>>, Option<Min<Timestamp>>)>;
    version_vector: Plain<VersionVector>;
    dot_set: Plain<DotSet>;

    // In a causal store.
    g_counter: Store<GCounter>;
    pn_counter: Store<PnCounter>;
    bounded_counter: Store<BoundedCounter>;
    counter: Store<Counter>;
    lww_register: Store<LwwRegister<u64>>;
    mv_register: Store<MvRegister<String>>;
    ew_flag: Store<EwFlag>;
    dw_flag: Store<DwFlag>;
    g_set: Store<GSet<u64>>;
    or_set: Store<OrSet<String>>;
    rw_set: Store<RwSet<String>>;
    lww_map: Store<LwwMap<String, u64>>;

    // Nested.
    map_of_counters: Store<OrMap<String, Counter>>;
    map_of_lww_maps: Store<OrMap<bool, LwwMap<u8, String>>>;
    map_of_maps_of_registers: Store<OrMap<u64, OrMap<String, MvRegister<u8>>>>;
    map_of_maps_of_maps_of_sets: Store<OrMap<u8, OrMap<u16, OrMap<u8, OrSet<u32>>>>>;
    map_of_structs: Store<OrMap<u8, Task>>;
    a_struct: Store<Cart>;
    document: Store<Document>;
}
