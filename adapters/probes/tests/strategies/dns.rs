//! `healthcheck-dns.dns` against a name server of the test's own.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, NS, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use crate::support::{check, entry, found, message, probes, run};

/// A name server that knows `known.test`.
async fn serve() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((bytes, from)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..bytes]).unwrap();
            socket.send_to(&answer(&query).to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn answer(query: &Message) -> Message {
    let question = query.queries[0].clone();
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.recursion_available = true;
    answer.metadata.recursion_desired = true;
    answer.add_query(question.clone());
    let name = question.name().clone();
    let asked = name.to_ascii().to_lowercase();
    let host = |text: &str| Name::from_ascii(text).unwrap();
    let data = match (asked.as_str(), question.query_type()) {
        ("known.test.", RecordType::A) => {
            vec![RData::A(A(Ipv4Addr::new(192, 0, 2, 1))), RData::A(A(Ipv4Addr::new(192, 0, 2, 2)))]
        }
        ("known.test.", RecordType::MX) => vec![RData::MX(MX::new(10, host("mail.known.test.")))],
        ("known.test.", RecordType::NS) => vec![RData::NS(NS(host("ns.known.test.")))],
        ("known.test.", RecordType::TXT) => {
            vec![RData::TXT(TXT::new(vec!["v=one ".into(), "two".into()]))]
        }
        ("alias.test.", RecordType::CNAME) => vec![RData::CNAME(CNAME(host("known.test.")))],
        ("known.test.", _) => vec![],
        _ => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            vec![]
        }
    };
    for data in data {
        answer.add_answer(Record::from_rdata(name.clone(), 60, data));
    }
    answer
}

async fn look_up(hostname: &str, kind: &str) -> (Value, groundcontrol_probes::Report) {
    let its = json!({"hostname": hostname, "recordType": kind});
    let config = json!({"nameserver": serve().await});
    let report = run("healthcheck-dns.dns", config, "healthcheck-dns.lookup", its).await;
    (found(&report).clone(), report)
}

#[tokio::test]
async fn addresses_are_found_and_counted() {
    let (mut found, report) = look_up("known.test", "A").await;
    assert!(report.healthy, "{}", report.result);
    let values = found["values"].as_array_mut().unwrap();
    values.sort_by_key(Value::to_string);
    assert_eq!(found["values"], json!(["192.0.2.1", "192.0.2.2"]));
    assert_eq!(found["recordCount"], 2);
    assert!(found["resolutionTimeMs"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn every_kind_of_record_is_read() {
    for (hostname, kind, expected) in [
        ("known.test", "MX", "10 mail.known.test"),
        ("known.test", "NS", "ns.known.test"),
        ("known.test", "TXT", "v=one two"),
        ("alias.test", "CNAME", "known.test"),
    ] {
        let (found, report) = look_up(hostname, kind).await;
        assert_eq!(found["values"], json!([expected]), "{kind}: {}", report.result);
    }
}

#[tokio::test]
async fn a_name_that_there_is_not_has_no_records_and_is_unhealthy() {
    let (found, report) = look_up("unknown.test", "A").await;
    assert!(!report.healthy);
    assert_eq!(found["recordCount"], 0);
    let said = message(&report);
    assert!(said.contains("unknown.test has no A record"), "{said}");
}

#[tokio::test]
async fn a_collector_may_name_a_server_of_its_own() {
    let its = json!({"hostname": "known.test", "nameserver": serve().await});
    let config = json!({"nameserver": "127.0.0.1:1"});
    let report = run("dns", config, "lookup", its).await;
    assert_eq!(found(&report)["recordCount"], 2, "{}", report.result);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let nameserver = silent.local_addr().unwrap().to_string();
    let config = json!({"nameserver": nameserver, "timeout": 300});
    let began = Instant::now();
    let entries = vec![entry("e1", "lookup", json!({"hostname": "known.test"}))];
    let report = probes().run(&check("dns", config, entries)).await;
    assert!(!report.healthy);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_empty_name_and_an_unknown_kind_are_refused() {
    let (_, empty) = look_up("", "A").await;
    assert!(message(&empty).contains("hostname: "), "{}", message(&empty));
    let (_, kind) = look_up("known.test", "LOC").await;
    assert!(message(&kind).contains("recordType: "), "{}", message(&kind));
}
