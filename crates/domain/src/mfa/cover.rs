//! Whether policies together ask at every sign-in.
//!
//! A sign-in has a client, a platform, an app and a place. The space of sign-ins is cut where a policy's scope is, and each
//! piece must be in the scope of one policy. Pieces that cannot occur do no harm: they can only make the answer stricter.
use super::{
    Tenant,
    policy::{Apps, BROWSER, DESKTOP, EVERY_PLATFORM, MODERN, PLATFORM_BITS, Policy, STORE_APP},
    tenant::{Ready, Trust},
};

/// Above this, policies are not combined; each still counts alone.
const PIECES_MAX: usize = 4_096;
const PLACES_MAX: usize = 6;

/// The groups of apps that overlap with single apps.
const APP_GROUPS: [&str; 2] = ["office365", "microsoftadminportals"];
/// Exchange Online, SharePoint Online and Teams are part of Office 365.
const OFFICE_APPS: [&str; 3] = [
    "00000002-0000-0ff1-ce00-000000000000",
    "00000003-0000-0ff1-ce00-000000000000",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
];

/// How places of which nothing is known are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum View {
    /// Anybody could be there.
    Open,
    /// They stand for trust.
    Trusted,
    /// They are marked as trusted, too.
    Marked,
}

impl View {
    fn counts(self, trust: Trust) -> bool {
        trust == Trust::Yes || (trust == Trust::Unknown && self != Self::Open)
    }
}

/// The positions are those of the policies that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    Everywhere(Vec<usize>),
    /// Everywhere but from places that stand for trust.
    ButTrusted(Vec<usize>),
    No,
}

/// `policies` are plain ones, all in force for the person.
pub(super) fn cover(tenant: &Tenant, policies: &[&Ready], view: View) -> Cover {
    if let Some(position) = policies.iter().position(|ready| ready.is_everywhere()) {
        return Cover::Everywhere(vec![position]);
    }
    let together = if policies.len() > 1 { union(tenant, policies, view) } else { Cover::No };
    if matches!(together, Cover::Everywhere(_)) {
        return together;
    }
    let alone = |ready: &&Ready| {
        let unknown_counts = ready.unknown_places.ids.is_empty() || view != View::Open;
        ready.limits.is_empty() && unknown_counts
    };
    match policies.iter().position(alone) {
        Some(position) => Cover::ButTrusted(vec![position]),
        None => together,
    }
}

/// Where the space is cut.
struct Cuts<'a> {
    clients: Vec<u8>,
    platforms: Vec<u8>,
    /// `None`: every app that no policy names.
    apps: Vec<Option<&'a str>>,
    places: Vec<&'a str>,
    /// Which places are marked as trusted, and which stand for trust, by bit.
    marked: u32,
    trusted: u32,
}

struct Piece<'a> {
    client: u8,
    platform: u8,
    app: Option<&'a str>,
    /// At these places at once, by bit.
    places: u32,
    /// At any location that is marked as trusted.
    trusted: bool,
}

fn union(tenant: &Tenant, policies: &[&Ready], view: View) -> Cover {
    let Some(cuts) = Cuts::new(tenant, policies, view) else { return Cover::No };
    let masks: Vec<(u32, u32)> = policies.iter().map(|ready| cuts.masks(&ready.policy)).collect();
    let mut used = vec![false; policies.len()];
    let mut is_whole = true;
    for piece in cuts.pieces() {
        let takes = |position: &usize| in_scope(&policies[*position].policy, masks[*position], &piece);
        match (0..policies.len()).find(takes) {
            Some(position) => used[position] = true,
            None if piece.trusted || piece.places & cuts.trusted != 0 => is_whole = false,
            None => return Cover::No,
        }
    }
    let by = (0..policies.len()).filter(|position| used[*position]).collect();
    if is_whole { Cover::Everywhere(by) } else { Cover::ButTrusted(by) }
}

impl<'a> Cuts<'a> {
    /// `None`: too many pieces.
    fn new(tenant: &Tenant, policies: &[&'a Ready], view: View) -> Option<Self> {
        let each = || policies.iter().map(|ready| &ready.policy);
        let clients = each().any(|policy| policy.clients & MODERN != MODERN);
        let platforms = each().any(|policy| policy.platforms != EVERY_PLATFORM);
        let mut apps: Vec<Option<&str>> = each().flat_map(named_apps).map(Some).collect();
        apps.sort_unstable();
        apps.dedup();
        apps.insert(0, None);
        let mut places: Vec<&str> = each().flat_map(named_places).collect();
        places.sort_unstable();
        places.dedup();
        if places.len() > PLACES_MAX {
            return None;
        }
        let bits = |wanted: &dyn Fn(&str) -> bool| {
            let chosen = places.iter().enumerate().filter(|(_, id)| wanted(id));
            chosen.fold(0_u32, |bits, (position, _)| bits | (1 << position))
        };
        let marked = bits(&|id| {
            tenant.is_marked_trusted(id) || (view == View::Marked && tenant.trust(id) == Trust::Unknown)
        });
        let trusted = bits(&|id| view.counts(tenant.trust(id)));
        let cuts = Self {
            clients: if clients { vec![BROWSER, DESKTOP] } else { vec![MODERN] },
            platforms: if platforms {
                (0..PLATFORM_BITS).map(|bit| 1 << bit).collect()
            } else {
                vec![EVERY_PLATFORM.0]
            },
            apps,
            marked,
            trusted,
            places,
        };
        let count = cuts.clients.len() * cuts.platforms.len() * cuts.apps.len() * (2 << cuts.places.len());
        (count <= PIECES_MAX).then_some(cuts)
    }

    /// The places that a policy includes and excludes, by bit.
    fn masks(&self, policy: &Policy) -> (u32, u32) {
        let bits = |ids: &[String]| {
            ids.iter().fold(0_u32, |bits, id| match self.places.iter().position(|place| place == id) {
                Some(position) => bits | (1 << position),
                None => bits,
            })
        };
        let include = policy.places.include.as_ref().map_or(0, |set| bits(&set.ids));
        (include, bits(&policy.places.exclude.ids))
    }

    /// The piece outside of every named place first: most unions fail there.
    fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + '_ {
        let spots = (0..1_u32 << self.places.len()).flat_map(|places| [(places, false), (places, true)]);
        // Whoever is at a place that is marked as trusted is at a trusted location.
        let spots = spots.filter(|(places, trusted)| *trusted || places & self.marked == 0);
        spots.flat_map(move |(places, trusted)| {
            self.apps.iter().flat_map(move |app| {
                self.platforms.iter().flat_map(move |platform| {
                    self.clients.iter().map(move |client| Piece {
                        client: *client,
                        platform: *platform,
                        app: *app,
                        places,
                        trusted,
                    })
                })
            })
        })
    }
}

fn named_apps(policy: &Policy) -> impl Iterator<Item = &str> {
    let (apps, but): (&[String], &[String]) = match &policy.apps {
        Apps::All { but } => (&[], but),
        Apps::Only { apps, but } => (apps, but),
        Apps::Actions(_) => (&[], &[]),
    };
    apps.iter().chain(but).map(String::as_str).filter(|id| *id != STORE_APP)
}

fn named_places(policy: &Policy) -> impl Iterator<Item = &str> {
    let included = policy.places.include.iter().flat_map(|set| &set.ids);
    included.chain(&policy.places.exclude.ids).map(String::as_str)
}

fn in_scope(policy: &Policy, (include, exclude): (u32, u32), piece: &Piece<'_>) -> bool {
    let places = &policy.places;
    let included = match &places.include {
        None => true,
        Some(set) => (set.trusted && piece.trusted) || piece.places & include != 0,
    };
    let out = &places.exclude;
    let excluded = out.all || (out.trusted && piece.trusted) || piece.places & exclude != 0;
    included
        && !excluded
        && policy.clients & piece.client == piece.client
        && policy.platforms.0 & piece.platform == piece.platform
        && has_app(&policy.apps, piece.app)
}

fn has_app(apps: &Apps, app: Option<&str>) -> bool {
    match (apps, app) {
        (Apps::All { .. }, None) => true,
        (Apps::Only { .. }, None) | (Apps::Actions(_), _) => false,
        (Apps::All { but }, Some(app)) => !leaves_out(but, app),
        (Apps::Only { apps, but }, Some(app)) => {
            let has = |id: &str| apps.iter().any(|named| named == id);
            !leaves_out(but, app) && (has(app) || (has("office365") && OFFICE_APPS.contains(&app)))
        }
    }
}

/// Which apps an excluded group of apps holds is not known here: it may be any of the named ones.
fn leaves_out(but: &[String], app: &str) -> bool {
    but.iter().any(|id| id == app || APP_GROUPS.contains(&id.as_str()))
}
