//! The golden bytes of the stock client, and what must be refused.

use proptest::prelude::{any, proptest};

use super::*;

fn hex(text: &str) -> Bytes {
    text.split(' ').map(|it| u8::from_str_radix(it, 16).unwrap()).collect()
}

#[test]
fn messages_are_those_of_the_stock_client() {
    let golden = [
        (Frame::Step1(Bytes::from_static(NOTHING_SEEN)), "00 00 01 00"),
        (Frame::Step2(Bytes::from_static(NOTHING_NEW)), "00 01 02 00 00"),
        (
            Frame::Update(hex("01 01 01 00 04 01 01 74 01 61 00")),
            "00 02 0b 01 01 01 00 04 01 01 74 01 61 00",
        ),
        (Frame::Step1(hex("01 01 01")), "00 00 03 01 01 01"),
        (
            Frame::Awareness(hex("01 01 01 07 7b 22 75 22 3a 31 7d")),
            "01 0b 01 01 01 07 7b 22 75 22 3a 31 7d",
        ),
        (Frame::Awareness(Bytes::from_static(&[0])), "01 01 00"),
        (Frame::QueryAwareness, "03"),
        (Frame::Denied("no".to_owned()), "02 00 02 6e 6f"),
        (Frame::Hello { epoch: 300 }, "78 ac 02"),
        (Frame::Stored { count: 5 }, "79 05"),
    ];
    for (frame, bytes) in golden {
        assert_eq!(frame.encode(), hex(bytes), "{frame:?}");
        assert_eq!(Frame::decode(&hex(bytes)), Ok(frame));
    }
    assert_eq!(STILL_HERE, Frame::Awareness(Bytes::from_static(&[0])).encode());
}

#[test]
fn awareness_is_that_of_the_stock_client() {
    let payload = hex("01 01 01 07 7b 22 75 22 3a 31 7d");
    let one = Awareness {
        client: 1,
        clock: 1,
        state: "{\"u\":1}",
    };
    assert_eq!(awareness(&payload, 4), Ok(vec![one]));
    assert_eq!(put_awareness([one].into_iter()), payload);
    assert_eq!(awareness(&payload, 0), Err(FrameError::TooMany));
}

#[test]
fn what_is_no_message_is_refused() {
    for (bytes, error) in [
        ("00", FrameError::Short),
        ("00 02 0b 01", FrameError::Short),
        ("00 03 00", FrameError::Unknown(3)),
        ("00 00 01 00 00", FrameError::Long),
        ("02 00 02 ff fe", FrameError::Text),
        ("02 01 00", FrameError::Unknown(1)),
        ("66 00", FrameError::Unknown(0x66)),
        ("00 00 ff ff ff ff ff ff ff ff 01", FrameError::Number),
        ("00 00 ff ff ff ff ff ff ff 1f", FrameError::Number),
        ("00 00 ff ff ff ff ff ff ff 0f", FrameError::Short),
        ("80 80 80 80 80 80 80 80 00", FrameError::Number),
    ] {
        assert_eq!(Frame::decode(&hex(bytes)), Err(error), "{bytes}");
    }
    assert_eq!(Frame::decode(&Bytes::new()), Err(FrameError::Short));
    assert_eq!(awareness(&hex("01 01 ff ff ff ff 1f 00"), 4), Err(FrameError::Number));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in any::<Vec<u8>>()) {
        let bytes = Bytes::from(bytes);
        if let Ok(frame) = Frame::decode(&bytes) {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
        let _ = awareness(&bytes, 4);
    }

    #[test]
    fn numbers_come_back(value in 0..=MAX_SAFE) {
        let mut out = BytesMut::new();
        put_number(&mut out, value);
        assert_eq!(Reader::new(&out).number(), Ok(value));
    }
}
