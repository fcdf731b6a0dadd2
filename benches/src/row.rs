//! One line of the table: which work, in which unit, and which figure is wanted.

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// Short and stable: filters and stored results name it.
    pub name: &'static str,
    /// The work, in the table's words.
    pub work: &'static str,
    pub unit: Unit,
    pub target: Target,
}

/// What the figures of a row count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nanoseconds per piece of work.
    Time,
    /// Bytes per element.
    Bytes,
    /// So many times what it can't do without.
    Ratio,
    /// How many.
    Count,
}

/// What crdt-core's figure should be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    /// Measured to be seen; nothing is demanded.
    Open,
    /// No more than this, in the row's unit.
    AtMost(f64),
    /// No more than so many times what the bare table needs.
    TimesLimit(f64),
    /// No more than so many times crdt-core's own figure in another row: what
    /// is called flat or constant.
    TimesRow(f64, &'static str),
}

impl Row {
    pub const fn time(name: &'static str, work: &'static str, target: Target) -> Self {
        Self { name, work, unit: Unit::Time, target }
    }

    pub const fn ratio(name: &'static str, work: &'static str, target: Target) -> Self {
        Self { name, work, unit: Unit::Ratio, target }
    }

    pub const fn count(name: &'static str, work: &'static str, target: Target) -> Self {
        Self { name, work, unit: Unit::Count, target }
    }

    pub const fn bytes(name: &'static str, work: &'static str, target: Target) -> Self {
        Self { name, work, unit: Unit::Bytes, target }
    }
}

/// Nanoseconds in a microsecond and a millisecond, to write targets readably.
pub const MICROSECOND: f64 = 1e3;
pub const MILLISECOND: f64 = 1e6;
