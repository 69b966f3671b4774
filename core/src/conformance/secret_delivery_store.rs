//! The cases of [`SecretDeliveryStore`].

use uuid::Uuid;

use super::Fixture;
use super::runner::{Case, Fault, Seen};
use crate::ports::{SecretDeliveryQuery, SecretDeliveryStore};
use crate::satellite::{PodName, SatelliteId};
use crate::secrets::{Delivery, DeliveryPlace};
use crate::time::{Millis, Timestamp};

type Bench = Fixture<dyn SecretDeliveryStore>;

const AT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(super) fn cases() -> Vec<Case<dyn SecretDeliveryStore>> {
    cases![
        "record" what_was_put_on_record_is_read_to_the_letter,
        "deliveries" they_are_listed_by_satellite_and_time_newest_first,
        "deliveries" a_list_goes_on_after_any_of_them,
        "prune" the_oldest_go_first_in_small_steps,
        "together" thousands_are_kept_in_one_call,
        "durable" they_are_there_after_a_crash,
    ]
}

fn at(millis: u64) -> Timestamp {
    AT + Millis::new(millis)
}

/// A delivery to a satellite, so many milliseconds after the beginning.
fn delivery(satellite: u128, millis: u64) -> Delivery {
    Delivery {
        satellite: SatelliteId(Uuid::from_u128(satellite)),
        place: DeliveryPlace { config_id: "c".to_owned(), collector_id: None },
        run_id: millis.to_string(),
        names: Vec::new(),
        error: None,
        at: at(millis),
        pod: PodName::new("pod"),
    }
}

fn all() -> SecretDeliveryQuery {
    SecretDeliveryQuery { limit: 10_000, ..SecretDeliveryQuery::default() }
}

async fn found(bench: &Bench, query: SecretDeliveryQuery) -> Seen<Vec<String>> {
    let found = bench.handle(1).deliveries(&query).await?;
    Ok(found.into_iter().map(|stored| stored.delivery.run_id).collect())
}

async fn what_was_put_on_record_is_read_to_the_letter(bench: &Bench) -> Seen {
    let name = |text: &str| text.parse().map_err(|why| Fault::Seen(format!("{text:?}: {why}")));
    let mut full = delivery(7, 5);
    full.place.collector_id = Some("entry \"é\"".to_owned());
    full.names = vec![name("A-1")?, name("b_")?];
    full.error = Some("Secret not found: 'b_'".to_owned());
    for kept in [&full, &delivery(8, 6)] {
        bench.handle(0).record_deliveries(std::slice::from_ref(kept)).await?;
    }
    let stored = bench.handle(1).deliveries(&all()).await?;
    let kept: Vec<_> = stored.into_iter().map(|stored| stored.delivery).collect();
    same!(kept, vec![delivery(8, 6), full], "the deliveries");
    Ok(())
}

async fn they_are_listed_by_satellite_and_time_newest_first(bench: &Bench) -> Seen {
    let kept = [delivery(7, 1), delivery(8, 2), delivery(7, 3), delivery(7, 4)];
    for one in kept {
        bench.handle(0).record_deliveries(&[one]).await?;
    }
    let satellite = Some(SatelliteId(Uuid::from_u128(7)));
    let cases = [
        (all(), vec!["4", "3", "2", "1"]),
        (SecretDeliveryQuery { satellite, ..all() }, vec!["4", "3", "1"]),
        (SecretDeliveryQuery { since: Some(at(2)), until: Some(at(4)), ..all() }, vec!["3", "2"]),
        (SecretDeliveryQuery { satellite, since: Some(at(2)), ..all() }, vec!["4", "3"]),
        (SecretDeliveryQuery { limit: 2, ..all() }, vec!["4", "3"]),
    ];
    for (query, expected) in cases {
        let name = format!("{query:?}");
        same!(found(bench, query).await?, expected, "the answer to {name}");
    }
    Ok(())
}

async fn a_list_goes_on_after_any_of_them(bench: &Bench) -> Seen {
    for millis in [1, 5, 5, 3] {
        bench.handle(0).record_deliveries(&[delivery(7, millis)]).await?;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let query = SecretDeliveryQuery { after, limit: 1, ..all() };
        let page = bench.handle(0).deliveries(&query).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        seen.push(last.delivery.run_id.clone());
        ensure!(seen.len() < 9, "the list does not end");
    }
    same!(seen, ["3", "5", "5", "1"], "the deliveries, page by page");
    Ok(())
}

async fn the_oldest_go_first_in_small_steps(bench: &Bench) -> Seen {
    let kept: Vec<_> = [3, 1, 2, 4].map(|millis| delivery(7, millis)).into();
    bench.handle(0).record_deliveries(&kept).await?;
    same!(bench.handle(0).prune_deliveries(at(4), 2).await?, 2, "deleted at first");
    same!(found(bench, all()).await?, ["4", "3"], "what is left at first");
    same!(bench.handle(0).prune_deliveries(at(4), 2).await?, 1, "deleted then");
    same!(bench.handle(0).prune_deliveries(at(4), 2).await?, 0, "deleted in the end");
    same!(found(bench, all()).await?, ["4"], "what is left in the end");
    Ok(())
}

async fn thousands_are_kept_in_one_call(bench: &Bench) -> Seen {
    let kept: Vec<_> = (0..3_000).map(|millis| delivery(7, millis)).collect();
    bench.handle(0).record_deliveries(&kept).await?;
    bench.handle(0).record_deliveries(&[]).await?;
    same!(found(bench, all()).await?.len(), 3_000, "the number of deliveries");
    Ok(())
}

async fn they_are_there_after_a_crash(bench: &mut Bench) -> Seen {
    if !bench.can_reopen() {
        return Err(Fault::Needs("Fixture::reopened_by"));
    }
    bench.handle(0).record_deliveries(&[delivery(7, 1)]).await?;
    bench.crash().await;
    same!(found(bench, all()).await?, ["1"], "the deliveries");
    Ok(())
}
