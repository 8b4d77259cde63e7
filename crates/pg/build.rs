//! Lists the SQL files of `db/` so that they are part of the binary, in the order of their names.
use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let db = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../db");
    let mut code = String::new();
    for folder in ["migrations", "rules", "seed"] {
        let folder_path = db.join(folder);
        println!("cargo::rerun-if-changed={}", folder_path.display());
        let mut files: Vec<_> = fs::read_dir(&folder_path)
            .expect("db folder")
            .map(|entry| entry.expect("db entry").path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "sql"))
            .collect();
        files.sort();
        writeln!(code, "pub const {}: &[(&str, &str)] = &[", folder.to_uppercase()).expect("write");
        for file in files {
            println!("cargo::rerun-if-changed={}", file.display());
            let name = file.file_stem().expect("stem").to_string_lossy().into_owned();
            let path = file.canonicalize().expect("path");
            writeln!(code, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("write");
        }
        code.push_str("];\n");
    }
    println!("cargo::rerun-if-changed={}", db.join("roles.sql").display());
    println!("cargo::rerun-if-changed={}", db.join("replication.sql").display());
    let out = env::var_os("OUT_DIR").expect("OUT_DIR");
    fs::write(Path::new(&out).join("files.rs"), code).expect("files.rs");
}
