//! What is in the sites of a tenant at the beginning: documentation that names the estate's devices and people, and links that
//! are open too wide.
use jiff::Timestamp;

use super::library::{Drive, Library, Share};
use crate::{estate::Estate, graph::tenants::Tenant, rng::Rng};

pub(crate) const IT: &str = "IT Documentation";
const HR: &str = "Human Resources";
const PROJECTS: &str = "Projects";
const DAY_S: i64 = 86_400;

pub(crate) fn share(scope: &'static str, kind: &'static str, expires_s: Option<i64>) -> Share {
    Share { id: String::new(), scope, kind, has_password: false, expires_s, guest: None }
}

struct Words {
    devices: Vec<(String, String)>,
    people: Vec<String>,
    name: String,
    code: String,
}

pub(crate) fn library(tenant: &Tenant, estate: &Estate, seed: u64, now: Timestamp) -> Library {
    let (high, low) = tenant.id.as_u64_pair();
    let mut rng = Rng::of(seed ^ high, low ^ 0x7368_6172_6570);
    let of_tenant = |id: i64| tenant.organization_id == Some(id);
    let devices = estate.devices.values().filter(|it| of_tenant(it.organization_id)).take(12);
    let first = tenant.layout.first_employee();
    let people = tenant.indices().filter(|index| *index >= first).take(5);
    let words = Words {
        devices: devices.map(|it| (it.name.clone(), it.serial.clone())).collect(),
        people: people.map(|index| tenant.person(index).display_name).collect(),
        name: tenant.name.clone(),
        code: format!("door{}", rng.code(8).to_lowercase()),
    };
    let slug = tenant.domain.trim_end_matches(".example");
    let mut library = Library { host: format!("{slug}.sharepoint.example"), sites: Vec::new() };
    let start_s = now.as_second() - 200 * DAY_S;
    let home = library.add_site("Communication site", true, &mut rng);
    home.drive.put("/Welcome.html", &format!("Welcome to {}", words.name), start_s, "System Account");
    documentation(&mut library.add_site(IT, false, &mut rng).drive, &words, start_s);
    people_files(&mut library.add_site(HR, false, &mut rng).drive, &words, now, &mut Rng::of(high, low));
    if rng.percent(70) {
        projects(&mut library.add_site(PROJECTS, false, &mut rng).drive, &words, now);
    }
    library
}

fn documentation(drive: &mut Drive, words: &Words, start_s: i64) {
    let device = |at: usize| words.devices.get(at).map_or("the server", |it| it.0.as_str());
    let person = |at: usize| words.people.get(at).map_or("the office", String::as_str);
    let by = person(0).to_owned();
    let mut put = |path: &str, text: String, day: i64| {
        drive.put(path, &text, start_s + day * DAY_S, &by);
    };
    put(
        "/README.txt",
        format!(
            "IT documentation of {}.\nThe code of the server room door is {}.\nAsk {} before you change it.",
            words.name,
            words.code,
            person(1)
        ),
        1,
    );
    put(
        "/Network/Firewall rules.md",
        format!(
            "# Firewall\n\nInbound 443 goes to {}.\nThe guest network never reaches {}.\nOwner: {}",
            device(0),
            device(1),
            person(0)
        ),
        20,
    );
    put(
        "/Network/Overview.pptx",
        format!("Network of {}\nCore switch, two uplinks\n{} sits in the main office", words.name, device(0)),
        30,
    );
    put(
        "/Runbooks/Backup restore.docx",
        format!(
            "Restore a backup\nOpen the backup console on {} and choose the newest recovery point.\nMount it beside the original, compare, then copy.\nTell {} when it is done.",
            device(0),
            person(2)
        ),
        60,
    );
    put(
        "/Runbooks/Password rotation.pdf",
        format!(
            "Password rotation\nThe service account of {} changes its password each quarter.\nStop the print spooler first, rotate, start it again.",
            device(1)
        ),
        90,
    );
    put(
        "/Runbooks/New starter.html",
        format!(
            "New starter\nCreate the mailbox, add the license, hand over a laptop.\n{} signs for the hardware.",
            person(3)
        ),
        120,
    );
    let rows: String =
        words.devices.iter().map(|(name, serial)| format!("{name},{serial},main office\n")).collect();
    put("/Inventory/Devices.xlsx", format!("Device,Serial number,Place\n{rows}"), 150);
    put(
        "/Inventory/Licenses.csv",
        format!("License,Seats,Contact\nBusiness Premium,25,{}\nVisio,2,{}", person(0), person(4)),
        151,
    );
    put("/Inventory/Rack.png", String::new(), 152);
    put("/Notes.one", String::new(), 153);
}

fn people_files(drive: &mut Drive, words: &Words, now: Timestamp, rng: &mut Rng) {
    let now_s = now.as_second();
    let by = words.people.get(1).cloned().unwrap_or_else(|| "Office".into());
    let salaries = drive.put("/Salaries 2026.xlsx", "Name,Amount", now_s - 90 * DAY_S, &by);
    let handbook = drive.put("/Handbook.pdf", "Handbook for everybody", now_s - 80 * DAY_S, &by);
    drive.put("/Contracts/Template.docx", "Contract template", now_s - 70 * DAY_S, &by);
    if rng.percent(60) {
        drive.share(salaries, share("anonymous", "edit", None));
    }
    drive.share(handbook, share("organization", "view", None));
}

fn projects(drive: &mut Drive, words: &Words, now: Timestamp) {
    let now_s = now.as_second();
    let by = words.people.first().cloned().unwrap_or_else(|| "Office".into());
    let offer = drive.put("/Offer.pdf", "Offer for a new building", now_s - 40 * DAY_S, &by);
    let plan = drive.put("/Building/Plan.pptx", "Plan of the new building", now_s - 35 * DAY_S, &by);
    let floor = drive.put("/Building/Floor.docx", "Floor plan with cable ways", now_s - 30 * DAY_S, &by);
    let budget = drive.put("/Budget.csv", "Item,Price", now_s - 20 * DAY_S, &by);
    drive.share(offer, share("anonymous", "view", Some(now_s + 30 * DAY_S)));
    drive.share(plan, share("organization", "edit", None));
    let guest = ("Robin Vale".to_owned(), "robin@architects.example".to_owned());
    drive.share(floor, Share { guest: Some(guest), ..share("users", "edit", None) });
    let folder = drive.find("/Building");
    if let Some(folder) = folder {
        drive.share(folder, share("anonymous", "view", None));
    }
    drive.share(budget, Share { has_password: true, ..share("anonymous", "edit", None) });
}
