//! Structs of stores.

use crate::{DotStore, Removable};

/// Declares a struct of stores, which is itself a store: it lives in a [`Causal`](crate::Causal), or under a key of an
/// [`OrMap`](crate::OrMap) if each of its fields may.
///
/// Each field has a reading method on the struct and a writing method on its cursor, both with the field's name. Fields
/// are independent: edits of different fields never conflict, and edits of one field do what its type does.
///
/// A field is known by its name and kind. New fields may be added at any time: a program that does not know one keeps
/// its data and passes it on. A changed kind is another field; a changed element type makes old data unreadable, so
/// choose a new name for it.
///
/// | concurrent | result |
/// |---|---|
/// | edit field x ∥ edit field y | both |
/// | edit field x ∥ edit field x | the rules of its type |
/// | edit by a program that knows a field ∥ edit by one that does not | both |
/// | two fields in one edit, which failed | neither: [`try_edit`](crate::Causal::try_edit) rolls back as a whole |
///
/// ```
/// use crdt_core::{Causal, EwFlag, LwwRegister, Merge, OrSet, PnCounter, ReplicaId, Timestamp, Writer};
///
/// crdt_core::fields! {
///     /// A lamp and who may switch it.
///     pub struct Lamp {
///         /// Whether it is on.
///         on: EwFlag,
///         colour: LwwRegister<String>,
///         users: OrSet<String>,
///         brightness: PnCounter,
///     }
/// }
///
/// let (mut alice, mut bob) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let (mut a, mut b) = (Causal::<Lamp>::new(), Causal::<Lamp>::new());
/// let (on, ()) = a.edit(&mut alice, |lamp| lamp.on().enable());
/// let (warm, ()) = b.edit(&mut bob, |lamp| {
///     lamp.colour().write(Timestamp::new(1, 0), "warm");
///     lamp.users().insert("bob");
/// });
/// a.merge(warm);
/// b.merge(on);
/// assert_eq!(a, b);
/// assert!(a.on().is_set() && a.users().contains("bob"));
///
/// // A step that fails takes back all of the edit.
/// let failed = a.try_edit(&mut alice, |lamp| {
///     lamp.on().disable();
///     lamp.brightness().increment(u64::MAX)?;
///     lamp.brightness().increment(1)
/// });
/// assert!(failed.is_err() && a.on().is_set());
/// ```
///
/// **Cost.** That of the fields; a step from a struct to its field is free. Encoded: a name and a kind per field that is
/// not empty, once for all structs of a map.
///
/// **Source.** A map of dot stores whose keys are fixed, Almeida et al. 2018, section 7.
///
/// **Choose** [`OrMap`](crate::OrMap) where the keys are data, [`Document`](crate::Document) where the shape is found out
/// at run time.
///
/// A field of running totals keeps a struct from living under a removable key, with a message that says so:
///
/// ```compile_fail
/// # use crdt_core::{Causal, OrMap, PnCounter};
/// crdt_core::fields! { pub struct Lamp { brightness: PnCounter } }
/// let lamps = Causal::<OrMap<String, Lamp>>::new();
/// ```
#[macro_export]
macro_rules! fields {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $store:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        $vis struct $name {
            $($(#[$field_meta])* $field: $store,)*
            /// What newer programs wrote: kept, and passed on.
            __unknown: $crate::Document,
        }

        #[allow(non_camel_case_types, missing_docs, clippy::all)]
        const _: () = {
            #[derive(Clone, PartialEq, Debug)]
            pub enum Entry {
                $($field(<$store as $crate::DotStore>::Entry),)*
                __unknown(<$crate::Document as $crate::DotStore>::Entry),
            }

            #[derive(Clone, PartialEq)]
            pub enum Place {
                $($field(<$store as $crate::DotStore>::Place),)*
                __unknown(<$crate::Document as $crate::DotStore>::Place),
            }

            impl $crate::Place for Place {
                const AXES: u8 = {
                    let mut most = 0;
                    $(
                        let axes = <<$store as $crate::DotStore>::Place as $crate::Place>::AXES;
                        most = if axes > most { axes } else { most };
                    )*
                    most
                };

                fn along(&self, axis: u8, steps: u32) -> Self {
                    match self {
                        $(Place::$field(place) => Place::$field($crate::Place::along(place, axis, steps)),)*
                        Place::__unknown(place) => Place::__unknown($crate::Place::along(place, axis, steps)),
                    }
                }
            }

            pub struct Cursor<'a>($crate::Edit<'a, $name>);

            impl<'a> ::core::convert::From<$crate::Edit<'a, $name>> for Cursor<'a> {
                fn from(edit: $crate::Edit<'a, $name>) -> Self {
                    Self(edit)
                }
            }

            impl<'a> Cursor<'a> {
                $(
                    $(#[$field_meta])*
                    pub fn $field(&mut self) -> <$store as $crate::DotStore>::Cursor<'_> {
                        ::core::convert::From::from(self.0.inside(
                            (),
                            |store: &$name, ()| ::core::option::Option::Some(&store.$field),
                            |(), entry| Entry::$field(entry),
                        ))
                    }
                )*
            }

            impl $name {
                $(
                    $(#[$field_meta])*
                    #[must_use]
                    pub fn $field(&self) -> &$store {
                        &self.$field
                    }
                )*
            }

            impl $crate::DotStore for $name {
                type Entry = Entry;
                type Place = Place;
                type Cursor<'a> = Cursor<'a>;

                const KIND: $crate::Kind = $crate::Kind::Record;

                fn with_seed(seed: u64) -> Self {
                    Self {
                        $($field: <$store as $crate::DotStore>::with_seed(seed),)*
                        __unknown: <$crate::Document as $crate::DotStore>::with_seed(seed),
                    }
                }

                fn is_bottom(&self) -> bool {
                    $($crate::DotStore::is_bottom(&self.$field) &&)* $crate::DotStore::is_bottom(&self.__unknown)
                }

                fn graft(&mut self, dot: $crate::Dot, entry: Entry) -> Place {
                    match entry {
                        $(Entry::$field(entry) => Place::$field($crate::DotStore::graft(&mut self.$field, dot, entry)),)*
                        Entry::__unknown(entry) => {
                            Place::__unknown($crate::DotStore::graft(&mut self.__unknown, dot, entry))
                        }
                    }
                }

                fn graft_from(&mut self, dot: $crate::Dot, from: &Self, place: &Place) -> Place {
                    match place {
                        $(Place::$field(place) => {
                            Place::$field($crate::DotStore::graft_from(&mut self.$field, dot, &from.$field, place))
                        })*
                        Place::__unknown(place) => Place::__unknown($crate::DotStore::graft_from(
                            &mut self.__unknown,
                            dot,
                            &from.__unknown,
                            place,
                        )),
                    }
                }

                fn weigh(entry: &Entry, levels: usize) -> ::core::option::Option<usize> {
                    let below = levels.checked_sub(1)?;
                    match entry {
                        $(Entry::$field(entry) => {
                            let name = <Self as $crate::DotStore>::STORE_WEIGHT + ::core::stringify!($field).len();
                            ::core::option::Option::Some(name + <$store as $crate::DotStore>::weigh(entry, below)?)
                        })*
                        // Unknown fields lie beside the known ones, not below them.
                        Entry::__unknown(entry) => <$crate::Document as $crate::DotStore>::weigh(entry, levels),
                    }
                }

                fn prune(&mut self, dot: $crate::Dot, place: &Place) {
                    match place {
                        $(Place::$field(place) => $crate::DotStore::prune(&mut self.$field, dot, place),)*
                        Place::__unknown(place) => $crate::DotStore::prune(&mut self.__unknown, dot, place),
                    }
                }

                fn entry(&self, dot: $crate::Dot, place: &Place) -> Entry {
                    match place {
                        $(Place::$field(place) => Entry::$field($crate::DotStore::entry(&self.$field, dot, place)),)*
                        Place::__unknown(place) => {
                            Entry::__unknown($crate::DotStore::entry(&self.__unknown, dot, place))
                        }
                    }
                }

                fn visit(&self, visit: &mut dyn ::core::ops::FnMut($crate::Dot, Place)) {
                    $($crate::DotStore::visit(&self.$field, &mut |dot, place| visit(dot, Place::$field(place)));)*
                    $crate::DotStore::visit(&self.__unknown, &mut |dot, place| visit(dot, Place::__unknown(place)));
                }

                fn observe(&self, entry: &Entry, path: &mut $crate::Path) -> $crate::Observed {
                    match entry {
                        $(Entry::$field(entry) => {
                            path.push($crate::Step::Field(::core::convert::From::from(::core::stringify!($field))));
                            $crate::DotStore::observe(&self.$field, entry, path)
                        })*
                        Entry::__unknown(entry) => $crate::DotStore::observe(&self.__unknown, entry, path),
                    }
                }

                fn encode_many(stores: &[&Self], to: &mut $crate::codec::Encoder<'_>) {
                    let mut columns = $crate::types::record::Columns::new(stores.len());
                    $(columns.field(::core::stringify!($field), stores.iter().map(|store| &store.$field));)*
                    $crate::fields!(@unknown stores, columns);
                    columns.write(to);
                }

                fn decode_many(
                    count: usize,
                    from: &mut $crate::codec::Decoder<'_>,
                ) -> ::core::result::Result<$crate::codec::StoreVec<Self>, $crate::DecodeError> {
                    let mut stores = $crate::codec::StoreVec::new();
                    stores.resize_with(count, <Self as ::core::default::Default>::default);
                    $crate::types::record::read(count, from, &mut |name, kind, present, from| {
                        $(if name == ::core::stringify!($field) && kind == <$store as $crate::DotStore>::KIND {
                            let fields = <$store as $crate::DotStore>::decode_many(present.len(), from)?;
                            for (at, field) in present.iter().zip(fields) {
                                stores[*at].$field = field;
                            }
                            return ::core::result::Result::Ok(());
                        })*
                        let unknown = stores.iter_mut().map(|store| &mut store.__unknown);
                        $crate::Document::read_field(unknown, &name, kind, present, from)
                    })?;
                    ::core::result::Result::Ok(stores)
                }

                fn heap_bytes(&self) -> usize {
                    $($crate::DotStore::heap_bytes(&self.$field) +)* $crate::DotStore::heap_bytes(&self.__unknown)
                }
            }

            impl $crate::Removable for $name
            where
                $(for<'a> $store: $crate::types::record::RemovableField<'a>,)*
            {
            }

            impl ::core::cmp::PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    $(self.$field == other.$field &&)* self.__unknown == other.__unknown
                }
            }

            impl ::core::cmp::Eq for $name {}

            impl ::core::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    let mut f = f.debug_struct(::core::stringify!($name));
                    $(f.field(::core::stringify!($field), &self.$field);)*
                    if !self.__unknown.is_empty() {
                        f.field("unknown", &self.__unknown);
                    }
                    f.finish()
                }
            }
        };
    };
    (@unknown $stores:ident, $columns:ident) => {
        let unknown: $crate::codec::StoreVec<&$crate::Document> = $stores.iter().map(|store| &store.__unknown).collect();
        $crate::Document::add_columns(&unknown, &mut $columns);
    };
}

/// A field that may live under a key that can be removed: [`Removable`], for a bound that may fail without making the
/// struct itself an error.
pub trait RemovableField<'a>: DotStore {}

impl<S: Removable> RemovableField<'_> for S {}
