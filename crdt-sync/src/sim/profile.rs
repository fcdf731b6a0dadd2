//! What a run is made of: how many replicas, how they are linked, and how tight their limits are.

use core::time::Duration;

use super::chance::Chance;
use super::net::{Topology, Weather};
use super::violation::Check;
use crate::fault::Faults;
use crate::{Config, Durability, LinkKind, Mode, Plan, ScopeId};

/// How one run is set up.
#[derive(Clone, Debug)]
pub struct Profile {
    /// How many replicas.
    pub replicas: usize,
    /// Who is linked to whom.
    pub topology: Topology,
    /// What the links promise. A link is of the kind at its place, over and over.
    pub links: Vec<LinkKind>,
    /// How many of them, the last ones, are tabs, which borrow the ids that they write under.
    pub tabs: usize,
    /// Whether all are at somebody else's message system, too, which hands pushes to everybody and proves nothing.
    pub engine: bool,
    /// Whether all links are cut at the start: until they heal, parcels are the only way.
    pub apart: bool,
    /// What the network does.
    pub weather: Weather,
    /// How long a flush takes, in milliseconds.
    pub flush_ms: u64,
    /// What each replica is told.
    pub config: Config,
    /// So much virtual time all replicas have to become equal, once faults stop.
    pub settle_ms: u64,
    /// Checks that are not made: what one check sees first, another one has to see as well.
    pub blind: Vec<Check>,
}

/// The scope of all runs.
pub(super) const SCOPE: ScopeId = ScopeId::from_bytes(*b"a simulated one.");

impl Profile {
    /// A few replicas, all linked by streams, on a quiet network: the ground for scenarios.
    #[must_use]
    pub fn calm(replicas: usize) -> Self {
        Self {
            replicas,
            topology: Topology::Mesh,
            links: vec![LinkKind::Stream],
            tabs: 0,
            engine: false,
            apart: false,
            weather: Weather::fair(),
            flush_ms: 1,
            config: Config::new(SCOPE),
            settle_ms: 120_000,
            blind: Vec::new(),
        }
    }

    /// With these faults of the machine switched on.
    #[must_use]
    pub fn with_faults(mut self, faults: impl Into<Faults>) -> Self {
        self.config.faults = faults.into();
        self
    }

    /// Draws one.
    #[must_use]
    pub fn draw(chance: &mut Chance) -> Self {
        let mut profile = Self::calm(chance.pick(&[2, 2, 3, 3, 3, 4, 5]));
        profile.topology =
            chance.pick(&[Topology::Mesh, Topology::Mesh, Topology::Line, Topology::Ring, Topology::Star]);
        let (stream, datagram) = (LinkKind::Stream, LinkKind::Datagram);
        profile.links = chance.pick(&[vec![stream], vec![datagram], vec![stream, datagram]]);
        profile.weather = Weather {
            loss_percent: chance.pick(&[0, 0, 5, 20, 50]),
            repeat_percent: chance.pick(&[0, 0, 5, 30]),
            delay_ms: chance.pick(&[0, 2, 10, 40]),
            tail_percent: chance.pick(&[0, 5, 20]),
            tail_ms: chance.pick(&[50, 500, 3_000]),
        };
        profile.tabs = chance.pick(&[0, 0, 1, 2]).min(profile.replicas.saturating_sub(2));
        if profile.tabs > 0 {
            // Pages have streams only.
            profile.links = vec![stream];
        }
        profile.engine = chance.percent(15);
        profile.apart = chance.percent(15);
        profile.flush_ms = chance.pick(&[0, 1, 5, 30]);
        let config = &mut profile.config;
        config.mode = chance.pick(&[
            Mode::Causal,
            Mode::Causal,
            Mode::Causal,
            Mode::Causal,
            Mode::Causal,
            Mode::Causal,
            Mode::Fifo,
            Mode::Immediate,
        ]);
        if chance.percent(10) {
            config.durability = Durability::Lease;
        }
        config.report_changes = chance.percent(30);
        config.sketch_key = chance.percent(50).then(|| chance.draw());
        Self::draw_limits(config, profile.tabs > 0, chance);
        profile
    }

    /// Limits so tight that what lies beyond them happens.
    fn draw_limits(config: &mut Config, tabs: bool, chance: &mut Chance) {
        let limits = &mut config.limits;
        match chance.below(10) {
            0 => limits.log_bytes_max = 0,
            1 => limits.log_bytes_max = 400,
            2 => {
                limits.inbox_records_max = 1;
                limits.inbox_bytes_max = 200;
            }
            3 => limits.held_bytes_max = 300,
            4 => limits.link_bytes_max = 200,
            5 => limits.log_memory_bytes_max = 0,
            6 => limits.push_records_max = 1,
            7 => {
                limits.record_bytes_max = 120;
                limits.flush_bytes = 60;
            }
            8 => limits.staged_bytes_max = 500,
            _ => limits.repairs_max = 1,
        }
        if chance.percent(50) {
            // Small states are sent whole; here they are to be compared.
            config.limits.whole_bytes_max = 0;
        }
        // Small states would hardly ever be worth a sketch.
        config.plan = chance.pick(&[None, None, None, Some(Plan::Sketch), Some(Plan::Sketch), Some(Plan::LiveSet)]);
        if chance.percent(if tabs { 70 } else { 20 }) {
            config.timing.dormant_after = Duration::from_secs(30);
        }
        if chance.percent(10) {
            config.timing.flush_after = Duration::from_millis(200);
        }
    }
}
