//! Sites, libraries and what is in them, and what happens there.
use std::collections::BTreeMap;

use uuid::Uuid;

use super::formats;
use crate::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    /// A notebook.
    Package,
}

#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub id: String,
    /// `anonymous`, `organization` or `users`.
    pub scope: &'static str,
    /// `view` or `edit`.
    pub kind: &'static str,
    pub has_password: bool,
    pub expires_s: Option<i64>,
    /// Name and address of a guest.
    pub guest: Option<(String, String)>,
}

impl Share {
    /// Whoever finds the link may change the file, for ever.
    pub fn is_risky(&self) -> bool {
        self.scope == "anonymous" && self.expires_s.is_none() && !self.has_password
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub id: String,
    pub parent: String,
    pub name: String,
    pub kind: Kind,
    pub text: String,
    /// Counts changes of any kind, and of the content.
    pub version: u32,
    pub content_version: u32,
    pub modified_s: i64,
    pub modified_by: String,
    pub shares: Vec<Share>,
    pub is_deleted: bool,
}

impl Item {
    pub fn bytes(&self) -> Vec<u8> {
        formats::bytes(&self.name, &self.text)
    }

    pub fn ctag(&self) -> String {
        format!("\"c:{{{}}},{}\"", self.id, self.content_version)
    }

    pub fn etag(&self) -> String {
        format!("\"{{{}}},{}\"", self.id, self.version)
    }
}

#[derive(Debug)]
pub(crate) struct Drive {
    pub id: String,
    pub name: String,
    pub root: String,
    /// In the order in which they came.
    pub items: Vec<Item>,
    pub by_id: BTreeMap<String, usize>,
    /// Ids of what changed, in order: what a list of changes shows.
    pub log: Vec<String>,
    rng: Rng,
}

#[derive(Debug)]
pub(crate) struct Site {
    pub id: String,
    pub name: String,
    pub slug: String,
    pub is_root: bool,
    pub drive: Drive,
}

/// The sites of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub host: String,
    pub sites: Vec<Site>,
}

impl Library {
    pub fn add_site(&mut self, name: &str, is_root: bool, rng: &mut Rng) -> &mut Site {
        let id = format!("{},{},{}", self.host, rng.uuid(), rng.uuid());
        let slug: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let drive = Drive::new(rng);
        self.sites.push(Site { id, name: name.to_owned(), slug, is_root, drive });
        let last = self.sites.len() - 1;
        &mut self.sites[last]
    }

    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == id || (id == "root" && site.is_root))
    }

    pub fn drive(&self, id: &str) -> Option<(&Site, &Drive)> {
        self.sites.iter().find(|site| site.drive.id == id).map(|site| (site, &site.drive))
    }

    pub fn named(&mut self, name: &str) -> Option<&mut Site> {
        self.sites.iter_mut().find(|site| site.name == name)
    }
}

impl Drive {
    fn new(rng: &mut Rng) -> Self {
        let mut own = Rng::of(rng.next(), 0x0064_7269_7665);
        let root = code(&mut own);
        let id = format!("b!{}", own.uuid().simple());
        Self {
            id,
            name: "Documents".into(),
            root,
            items: Vec::new(),
            by_id: BTreeMap::new(),
            log: Vec::new(),
            rng: own,
        }
    }

    pub fn item(&self, id: &str) -> Option<&Item> {
        self.by_id.get(id).map(|at| &self.items[*at]).filter(|item| !item.is_deleted)
    }

    /// Where an item is, with a slash in front of every name.
    pub fn path(&self, item: &Item) -> String {
        match self.by_id.get(&item.parent) {
            Some(above) => format!("{}/{}", self.path(&self.items[*above]), item.name),
            None => format!("/{}", item.name),
        }
    }

    pub fn find(&self, path: &str) -> Option<usize> {
        self.items.iter().position(|item| !item.is_deleted && self.path(item) == path)
    }

    pub fn children(&self, id: &str) -> Vec<usize> {
        (0..self.items.len())
            .filter(|at| self.items[*at].parent == id && !self.items[*at].is_deleted)
            .collect()
    }

    /// The folder of a path; made where it is missing.
    fn folder(&mut self, path: &str, at_s: i64, by: &str) -> String {
        let mut parent = self.root.clone();
        let mut walked = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            walked = format!("{walked}/{name}");
            parent = match self.find(&walked) {
                Some(at) => self.items[at].id.clone(),
                None => self.push(parent, name, Kind::Folder, "", (at_s, by)),
            };
        }
        parent
    }

    fn push(
        &mut self,
        parent: String,
        name: &str,
        kind: Kind,
        text: &str,
        (at_s, by): (i64, &str),
    ) -> String {
        let id = code(&mut self.rng);
        self.by_id.insert(id.clone(), self.items.len());
        self.items.push(Item {
            id: id.clone(),
            parent,
            name: name.to_owned(),
            kind,
            text: text.to_owned(),
            version: 1,
            content_version: 1,
            modified_s: at_s,
            modified_by: by.to_owned(),
            shares: Vec::new(),
            is_deleted: false,
        });
        self.log.push(id.clone());
        id
    }

    /// Adds a file, or changes the one of that path. Returns where it is.
    pub fn put(&mut self, path: &str, text: &str, at_s: i64, by: &str) -> usize {
        if let Some(at) = self.find(path) {
            let item = &mut self.items[at];
            item.text = text.to_owned();
            (item.content_version, item.modified_s) = (item.content_version + 1, at_s);
            self.touch(at);
            return at;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.folder(folder, at_s, by);
        let kind = if name.ends_with(".one") { Kind::Package } else { Kind::File };
        self.push(parent, name, kind, text, (at_s, by));
        self.items.len() - 1
    }

    fn touch(&mut self, at: usize) {
        let item = &mut self.items[at];
        item.version += 1;
        let id = item.id.clone();
        // Some changes are told twice.
        if item.version.is_multiple_of(2) {
            self.log.push(id.clone());
        }
        self.log.push(id);
    }

    pub fn rename(&mut self, at: usize, name: &str) {
        self.items[at].name = name.to_owned();
        self.touch(at);
    }

    pub fn delete(&mut self, at: usize) {
        let id = self.items[at].id.clone();
        self.items[at].is_deleted = true;
        self.items[at].shares.clear();
        self.touch(at);
        for child in self.children(&id) {
            self.delete(child);
        }
    }

    pub fn share(&mut self, at: usize, mut share: Share) {
        share.id = format!("{}", self.rng.uuid());
        self.items[at].shares.push(share);
        self.touch(at);
    }

    pub fn unshare(&mut self, at: usize) {
        self.items[at].shares.clear();
        self.touch(at);
    }

    pub fn size(&self) -> i64 {
        let files = self.items.iter().filter(|item| item.kind == Kind::File && !item.is_deleted);
        files.map(|item| i64::try_from(item.bytes().len()).unwrap_or(0)).sum()
    }
}

fn code(rng: &mut Rng) -> String {
    format!("01{}", Uuid::from_u128((u128::from(rng.next()) << 64) | u128::from(rng.next())).simple())
        .to_uppercase()
}
