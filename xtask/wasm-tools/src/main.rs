//! What building the browser package takes beyond cargo and npm.
//!
//! ```text
//! wasm-tools bindgen IN.wasm FOLDER     writes raw.js, raw.d.ts and crdt.wasm there, and says what the wasm imports
//! wasm-tools size FILE…                 how long the files are together: as they are, with gzip -9, with brotli 11
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bindgen", input, folder] => bindgen(Path::new(input), Path::new(folder)),
        ["size", files @ ..] if !files.is_empty() => size(files),
        _ => Err("usage: wasm-tools bindgen IN.wasm FOLDER | size FILE…".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-tools: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bindgen(input: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut output = Bindgen::new()
        .input_path(input)
        .out_name("raw")
        .web(true)?
        // Bundlers follow a URL in a dependency, each in its own way: users name the file themselves, or take the
        // inlined one.
        .omit_default_module_path(true)
        .typescript(true)
        .ts_typed_array_buffers(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        // After a trap a fresh instance is made.
        .reset_state_function(true)
        .generate_output()?;
    fs::write(folder.join("raw.js"), output.js())?;
    fs::write(folder.join("raw.d.ts"), output.ts().ok_or("no types were written")?)?;
    let snippets = output.snippets().values().map(Vec::len).sum::<usize>() + output.local_modules().len();
    if snippets > 0 || !output.npm_dependencies().is_empty() {
        return Err("the glue wants files beside it".into());
    }
    for import in output.wasm().imports.iter() {
        println!("{} {}", import.module, import.name);
    }
    fs::write(folder.join("crdt.wasm"), output.wasm_mut().emit_wasm())?;
    Ok(())
}

fn size(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    let mut together = [0, 0, 0];
    for file in files {
        let bytes = fs::read(file)?;
        let sizes = [bytes.len(), gzip(&bytes)?, brotli(&bytes)?];
        for (sum, size) in together.iter_mut().zip(sizes) {
            *sum += size;
        }
        all.push((*file, sizes));
    }
    for (file, [raw, gzip, brotli]) in all {
        println!("{raw} {gzip} {brotli} {file}");
    }
    let [raw, gzip, brotli] = together;
    println!("{raw} {gzip} {brotli} together");
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize, Box<dyn Error>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(bytes: &[u8]) -> Result<usize, Box<dyn Error>> {
    let mut compressed = Vec::new();
    // Quality 11, a window of 4 MiB, as servers that compress once do.
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 1 << 16, 11, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(compressed.len())
}
