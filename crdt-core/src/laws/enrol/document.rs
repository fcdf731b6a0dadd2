//! Documents.

use crate::laws::op::{Few, NodeOp, NodesOp};
use crate::laws::spec::{self, Shown};
use crate::laws::store::Enrolled;
use crate::laws::subject::Refused;
use crate::laws::{op, store::StoreOp};
use crate::types::record::{Name, Nodes};
use crate::{Document, DocumentMap, DotStore, Edit, Element, LwwMap, LwwRegister, MvRegister, OrSet, RwSet, Value};
use std::collections::BTreeMap;
use std::format;
use std::prelude::rust_2024::*;
