//! The plain maximum and minimum as bytes: those of the value inside.

use alloc::vec::Vec;

use super::{Canonical, DecodeError, DecodeErrorKind, DecodeLimits};
use crate::{Element, Max, Min, Value};

fn read<T: Element>(bytes: &[u8], limits: DecodeLimits) -> Result<T, DecodeError> {
    let value = Value::read(bytes, limits)?;
    T::from_value(value).ok_or(DecodeError { at: 0, kind: DecodeErrorKind::OtherType })
}

macro_rules! extremes {
    ($($extreme:ident)+) => {$(
        /// The bytes of the [`Value`] inside.
        impl<T: Element> Canonical for $extreme<T> {
            fn encode(&self) -> Vec<u8> {
                self.0.to_value().encode()
            }

            fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
                read(bytes, limits).map(Self)
            }
        }

        /// The bytes of the [`Value`] inside, or of null.
        impl<T: Element> Canonical for Option<$extreme<T>> {
            fn encode(&self) -> Vec<u8> {
                self.as_ref().map(|extreme| extreme.0.clone()).to_value().encode()
            }

            fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
                Ok(read::<Option<T>>(bytes, limits)?.map($extreme))
            }
        }
    )+};
}

extremes!(Max Min);
