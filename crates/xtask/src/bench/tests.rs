use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::*;

#[test]
fn the_table_has_ratios_where_there_is_a_reference() {
    let figures = vec![(Measure::Start, 20.0, Some(260.0)), (Measure::Memory, 20.0, None)];
    let head = format!("{:44}    zspark   reference   ratio   target\n", "");
    let rows = "\
spawn to first model request, ms                  20.0       260.0  1/13.0      1/8
peak memory of a one-turn exec, MiB               20.0           -       -      1/5
";
    assert_eq!(table(&figures), head + rows);
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
}

#[test]
fn the_model_answers_by_its_script() {
    let model = Model::start().unwrap();
    model.play(Script::Calls(1));
    let address = model.base_url().replace("http://", "").replace("/v1", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let mut ask = || {
        stream
            .write_all(b"POST /v1/responses HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            .unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut text = String::new();
        while !text.ends_with("0\r\n\r\n") {
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap();
            text.push(char::from(byte[0]));
        }
        text
    };
    assert!(ask().contains("exec_command"));
    assert!(ask().contains("output_text.delta"));
    assert_eq!(model.arrivals().len(), 2);
}
