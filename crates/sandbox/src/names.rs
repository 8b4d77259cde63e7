//! Names of customers, towns and people. All invented.
use crate::rng::Rng;

/// Always there, in this order.
const FIRST: [&str; 4] = ["Acme Dental", "Harbor Law", "Northwind Foods", "Lakeside Clinic"];

const HEADS: [&str; 100] = [
    "Alder",
    "Amber",
    "Anchor",
    "Arbor",
    "Ashford",
    "Aspen",
    "Atlas",
    "Aurora",
    "Baker",
    "Bayview",
    "Beacon",
    "Birch",
    "Blue Ridge",
    "Bright",
    "Brook",
    "Canyon",
    "Capital",
    "Cardinal",
    "Cedar",
    "Central",
    "Chestnut",
    "Clear",
    "Cliff",
    "Coastal",
    "Cobalt",
    "Compass",
    "Copper",
    "Coral",
    "Corner",
    "Crescent",
    "Crown",
    "Delta",
    "Desert",
    "Eagle",
    "East Gate",
    "Echo",
    "Elm",
    "Ember",
    "Evergreen",
    "Fairview",
    "Falcon",
    "Fern",
    "First",
    "Forest",
    "Foundry",
    "Franklin",
    "Garden",
    "Glacier",
    "Golden",
    "Granite",
    "Greenfield",
    "Grove",
    "Hawthorn",
    "Hazel",
    "Heritage",
    "Highland",
    "Hillside",
    "Horizon",
    "Iron",
    "Ivory",
    "Juniper",
    "Keystone",
    "Kingston",
    "Lantern",
    "Laurel",
    "Liberty",
    "Linden",
    "Lotus",
    "Madison",
    "Maple",
    "Marble",
    "Meadow",
    "Mercer",
    "Mesa",
    "Midtown",
    "Mill",
    "Monarch",
    "Mountain",
    "North Star",
    "Oak",
    "Old Town",
    "Olive",
    "Orchard",
    "Pacific",
    "Park",
    "Pine",
    "Pioneer",
    "Prairie",
    "Quarry",
    "Redwood",
    "River",
    "Sable",
    "Silver",
    "Spruce",
    "Summit",
    "Sunrise",
    "Timber",
    "Union",
    "Valley",
    "Willow",
];

const TAILS: [&str; 60] = [
    "Accounting",
    "Advisors",
    "Animal Hospital",
    "Apparel",
    "Architects",
    "Automotive",
    "Bakery",
    "Bank",
    "Brewing",
    "Builders",
    "Capital",
    "Chemicals",
    "Chiropractic",
    "Clinic",
    "Coffee",
    "Construction",
    "Consulting",
    "Credit Union",
    "Dental",
    "Design",
    "Distribution",
    "Electric",
    "Energy",
    "Engineering",
    "Equipment",
    "Farms",
    "Financial",
    "Fitness",
    "Foods",
    "Freight",
    "Furniture",
    "Glass",
    "Hardware",
    "Health",
    "Hotels",
    "Insurance",
    "Interiors",
    "Labs",
    "Law",
    "Logistics",
    "Manufacturing",
    "Marine",
    "Media",
    "Medical",
    "Metals",
    "Museum",
    "Optics",
    "Orthopedics",
    "Packaging",
    "Pharmacy",
    "Plastics",
    "Printing",
    "Properties",
    "Realty",
    "Robotics",
    "Schools",
    "Software",
    "Supply",
    "Transport",
    "Wealth",
];

pub(crate) const TOWNS: [&str; 12] = [
    "Ashland",
    "Bridgeport",
    "Clayton",
    "Dover",
    "Fairmont",
    "Greenville",
    "Hudson",
    "Jackson",
    "Milton",
    "Newport",
    "Oxford",
    "Salem",
];

pub(crate) const PEOPLE: [&str; 24] = [
    "ada", "amir", "bea", "carl", "dana", "eli", "fay", "gus", "hana", "ivan", "june", "kofi", "lena",
    "marc", "nora", "omar", "pia", "quinn", "rosa", "sam", "tess", "uma", "vic", "wren",
];

/// `count` different names (at most 5,000): the fixed ones first, then pairs of words in an order of the seed.
pub(crate) fn companies(count: u32, seed: u64) -> Vec<String> {
    let pairs = (HEADS.len() * TAILS.len()) as u64;
    let mut rng = Rng::of(seed, 0x6e61_6d65);
    let start = rng.below(pairs);
    // 6,000 pairs; a step without the factors 2, 3 and 5 visits each of them once.
    let step = [1_009, 2_003, 3_011, 4_001][usize::try_from(rng.below(4)).unwrap_or(0)];
    let pair = |at: u64| {
        let index = usize::try_from((start + at * step) % pairs).unwrap_or(0);
        format!("{} {}", HEADS[index % HEADS.len()], TAILS[index / HEADS.len()])
    };
    let first = FIRST.iter().map(|name| (*name).to_owned());
    first.chain((0..pairs).map(pair)).take(count as usize).collect()
}

/// `AD` for Acme Dental: what the devices of a customer are named after.
pub(crate) fn initials(company: &str) -> String {
    company.split(' ').filter_map(|word| word.chars().next()).take(2).collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn five_thousand_names_are_different_and_begin_with_the_known_ones() {
        for seed in [0, 1, 2, 99] {
            let names = companies(5_000, seed);
            assert_eq!(names[..4], FIRST);
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), 5_000);
        }
        assert_ne!(companies(50, 1), companies(50, 2));
        assert_eq!(initials("Acme Dental"), "AD");
    }
}
