//! Whether the holder of a lease is alive, judged by its heartbeats alone.
//!
//! A contender reads the counter again and again, by its own monotonic clock. The clocks of two machines are never
//! compared. A beat counts as missed only if the contender was running to see that it did not come: after a pause of the
//! contender, or of both, the count continues where it was.

use std::collections::HashMap;
use std::time::Duration;

use crate::sweep::dir::beat::Beat;

/// Number of heartbeats after which a silent holder counts as dead.
pub const MISSED: u32 = 10;

/// State of the holder of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It beats, or has not been silent for long enough.
    Alive,
    /// It has left the stack with a checkpoint.
    Left,
    /// It is dead; the reason is that of its parent process, if that has seen it.
    Dead(Option<String>),
}

/// The heartbeats that a contender has seen, by the name of the lease.
#[derive(Debug)]
pub struct Liveness {
    interval: Duration,
    seen: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    beat: Beat,
    /// When it was first seen, or the last missed beat was counted, by the clock of the contender.
    at: Duration,
    missed: u32,
}

impl Liveness {
    /// Returns the state of a contender that has seen nothing yet. `interval` is the time between two heartbeats.
    pub fn new(interval: Duration) -> Liveness {
        Liveness { interval, seen: HashMap::new() }
    }

    /// Records that the heartbeat of a lease was read `now`, and returns the state of its holder.
    pub fn observe(&mut self, lease: &str, beat: Beat, now: Duration) -> Holder {
        match beat {
            Beat::Released => return Holder::Left,
            Beat::Died(why) => return Holder::Dead(Some(why)),
            Beat::None | Beat::Count(_) => {}
        }
        let seen = self.seen.entry(lease.to_owned()).or_insert_with(|| Seen { beat: beat.clone(), at: now, missed: 0 });
        if seen.beat != beat {
            *seen = Seen { beat, at: now, missed: 0 };
        } else if now.saturating_sub(seen.at) >= self.interval {
            seen.missed += 1;
            seen.at = now;
        }
        if seen.missed >= MISSED { Holder::Dead(None) } else { Holder::Alive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_secs(2);

    /// Observes a silent lease every half interval, and returns after how many intervals its holder counts as dead.
    fn silent_intervals(liveness: &mut Liveness, beat: &Beat, from: Duration) -> f64 {
        let mut now = from;
        while liveness.observe("S000.1", beat.clone(), now) == Holder::Alive {
            now += BEAT / 2;
            assert!(now - from < BEAT * 100);
        }
        (now - from).as_secs_f64() / BEAT.as_secs_f64()
    }

    #[test]
    fn a_holder_is_dead_after_ten_beats_without_a_change_also_if_it_never_beat() {
        for beat in [Beat::None, Beat::Count(7)] {
            assert_eq!(silent_intervals(&mut Liveness::new(BEAT), &beat, Duration::from_secs(5)), 10.0);
        }
    }

    #[test]
    fn a_slow_holder_is_alive_and_every_beat_starts_the_count_again() {
        let mut liveness = Liveness::new(BEAT);
        for count in 0..20 {
            let now = BEAT * 9 * count;
            for poll in 0..9 {
                let beat = Beat::Count(u64::from(count));
                assert_eq!(liveness.observe("S000.1", beat, now + BEAT * poll), Holder::Alive);
            }
        }
        assert_eq!(silent_intervals(&mut liveness, &Beat::Count(19), BEAT * 9 * 20), 1.0, "eight were missed before");
    }

    #[test]
    fn a_contender_that_slept_has_seen_nothing_meanwhile() {
        let mut liveness = Liveness::new(BEAT);
        assert_eq!(liveness.observe("S000.1", Beat::Count(1), Duration::ZERO), Holder::Alive);
        let woken = Duration::from_secs(3600);
        assert_eq!(liveness.observe("S000.1", Beat::Count(1), woken), Holder::Alive, "one beat was missed, not 1,800");
        assert_eq!(liveness.observe("S000.1", Beat::Count(2), woken + BEAT), Holder::Alive);
    }

    #[test]
    fn a_lease_that_was_released_or_whose_holder_was_seen_to_die_is_free_at_once() {
        let mut liveness = Liveness::new(BEAT);
        assert_eq!(liveness.observe("S000.1", Beat::Released, Duration::ZERO), Holder::Left);
        let died = Beat::Died("signal 9".to_owned());
        assert_eq!(liveness.observe("S000.2", died, Duration::ZERO), Holder::Dead(Some("signal 9".to_owned())));
    }
}
