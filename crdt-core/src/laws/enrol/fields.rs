//! Structs made by [`fields!`](crate::fields).

/// Enrols a struct that [`fields!`](crate::fields) made, by naming its fields again: `enrol_fields!(Cart { items:
/// OrMap<String, Counter>, paid: EwFlag });`. Each field's type must be enrolled.
///
/// The meaning of a struct is that of its fields side by side: none hears of edits of another.
#[macro_export]
macro_rules! enrol_fields {
    ($name:ident { $($field:ident: $store:ty),+ $(,)? }) => {
        impl $crate::laws::Enrolled for $name {
            type Spec = $crate::enrol_fields!(@spec $($store),+);

            fn perform(
                cursor: &mut <Self as $crate::DotStore>::Cursor<'_>,
                op: &$crate::laws::StoreOp<Self>,
            ) -> ::core::result::Result<(), $crate::laws::Refused> {
                $crate::enrol_fields!(@perform cursor, op, $($field: $store),+)
            }

            fn read(&self) -> $crate::laws::StoreValue<Self> {
                $crate::enrol_fields!(@read self, $($field),+)
            }

            fn looks_alike(one: &Self, other: &Self) -> bool {
                $(<$store as $crate::laws::Enrolled>::looks_alike(one.$field(), other.$field()))&&+
            }
        }
    };
    (@spec $store:ty) => { <$store as $crate::laws::Enrolled>::Spec };
    (@spec $store:ty, $($rest:ty),+) => {
        $crate::laws::spec::BothFields<<$store as $crate::laws::Enrolled>::Spec, $crate::enrol_fields!(@spec $($rest),+)>
    };
    (@perform $cursor:ident, $op:ident, $field:ident: $store:ty) => {
        <$store as $crate::laws::Enrolled>::perform(&mut $cursor.$field(), $op)
    };
    (@perform $cursor:ident, $op:ident, $field:ident: $store:ty, $($rest:ident: $others:ty),+) => {
        match $op {
            $crate::laws::op::Either::First(op) => <$store as $crate::laws::Enrolled>::perform(&mut $cursor.$field(), op),
            $crate::laws::op::Either::Second(op) => $crate::enrol_fields!(@perform $cursor, op, $($rest: $others),+),
        }
    };
    (@read $self:ident, $field:ident) => { $crate::laws::Enrolled::read($self.$field()) };
    (@read $self:ident, $field:ident, $($rest:ident),+) => {
        ($crate::laws::Enrolled::read($self.$field()), $crate::enrol_fields!(@read $self, $($rest),+))
    };
}
