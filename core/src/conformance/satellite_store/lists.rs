//! Lists: order, pages, filters. The filter by status is a topic of its own.

use std::collections::BTreeMap;

use super::bench::{ALL, Bench, Pod, ids, new_satellite, satellite_id};
use crate::conformance::runner::{Case, Fault, Seen};
use crate::ports::{ListQuery, SatelliteStore};
use crate::satellite::Tags;

pub(super) fn cases() -> Vec<Case<dyn SatelliteStore>> {
    cases![
        "list" satellites_are_listed_in_the_order_of_their_names_bytes,
        "list" pages_show_every_satellite_once,
        "list" a_region_selects_exactly_its_satellites,
        "list" all_tags_of_a_query_must_be_there,
        "list" text_is_found_in_name_and_region_and_at_the_start_of_the_id,
        "list" the_case_of_ascii_letters_does_not_matter_to_text,
        "list" no_character_of_text_is_a_wildcard,
        "list" filters_narrow_each_other_and_pages_count_what_is_left,
    ]
}

fn everything() -> ListQuery {
    ListQuery { limit: ALL, ..ListQuery::default() }
}

/// Keys and values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Satellites 1, 2, 3 … with these names, regions and tags.
async fn named(bench: &Bench, satellites: &[(&str, &str, Pairs<'_>)]) -> Seen<Pod> {
    let pod = bench.fleet(0).await?;
    for (number, (name, region, tags)) in (1..).zip(satellites) {
        let mut new = new_satellite(number)?;
        new.satellite.name = name.parse()?;
        new.satellite.region = region.parse()?;
        let pairs = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let tags = Tags::new(pairs.collect::<BTreeMap<_, _>>());
        new.satellite.tags = tags.map_err(|(_, error)| Fault::from(error))?;
        pod.create(new).await?;
    }
    Ok(pod)
}

/// The query must find these satellites, in this order.
async fn finds(pod: &Pod, query: &ListQuery, numbers: &[u32]) -> Seen {
    let expected: Vec<_> = numbers.iter().map(|number| satellite_id(*number)).collect();
    same!(ids(&pod.store.list(query).await?), expected, "{query:?}");
    Ok(())
}

async fn satellites_are_listed_in_the_order_of_their_names_bytes(bench: &Bench) -> Seen {
    let names = ["b", "é", "B", "a", "a b", "a-b", "10", "9", "🛰", "\u{fffd}"];
    let satellites = names.map(|name| (name, "r", &[][..]));
    let pod = named(bench, &satellites).await?;
    let listed = pod.store.list(&everything()).await?;
    let seen: Vec<_> = listed.iter().map(|stored| stored.satellite.name.as_str()).collect();
    let mut expected = names;
    expected.sort_unstable();
    same!(seen, expected, "the names");
    Ok(())
}

async fn pages_show_every_satellite_once(bench: &Bench) -> Seen {
    let pod = bench.fleet(7).await?;
    let all = ids(&pod.store.list(&everything()).await?);
    same!(all.len(), 7, "satellites");
    for limit in [1, 2, 3, 7, 8] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = ListQuery { after, limit, ..ListQuery::default() };
            let page = pod.store.list(&query).await?;
            let Some(last) = page.last() else { break };
            ensure!(page.len() <= limit, "{} satellites for a limit of {limit}", page.len());
            ensure!(seen.len() < all.len(), "more satellites than there are");
            after = Some(last.satellite.name.clone());
            seen.extend(ids(&page));
        }
        same!(seen, all, "the pages of {limit}");
    }
    let none = ListQuery { limit: 0, ..ListQuery::default() };
    finds(&pod, &none, &[]).await?;
    let after_a_name_of_nobody =
        ListQuery { after: Some("satellite-00003x".parse()?), ..everything() };
    finds(&pod, &after_a_name_of_nobody, &[4, 5, 6, 7]).await
}

async fn a_region_selects_exactly_its_satellites(bench: &Bench) -> Seen {
    let pod = named(bench, &[("a", "eu", &[]), ("b", "eu-west", &[]), ("c", "EU", &[])]).await?;
    for (region, numbers) in [("eu", &[1][..]), ("EU", &[3]), ("e", &[]), ("e%", &[])] {
        let query = ListQuery { region: Some(region.to_owned()), ..everything() };
        finds(&pod, &query, numbers).await?;
    }
    Ok(())
}

async fn all_tags_of_a_query_must_be_there(bench: &Bench) -> Seen {
    let pod = named(
        bench,
        &[
            ("a", "r", &[("env", "prod"), ("tier", "1")]),
            ("b", "r", &[("env", "prod")]),
            ("c", "r", &[("env", "test"), ("tier", "prod")]),
            ("d", "r", &[]),
            ("e", "r", &[("Env", "prod"), ("e.n\"v", "x"), ("lab", "")]),
        ],
    )
    .await?;
    let queries: [(Pairs<'_>, &[u32]); 8] = [
        (&[("env", "prod")], &[1, 2]),
        (&[("env", "prod"), ("tier", "1")], &[1]),
        (&[("env", "prod"), ("env", "test")], &[]),
        (&[("tier", "prod")], &[3]),
        (&[("env", "PROD")], &[]),
        (&[("env", "pro")], &[]),
        (&[("e.n\"v", "x")], &[5]),
        (&[("lab", "")], &[5]),
    ];
    for (tags, numbers) in queries {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        finds(&pod, &ListQuery { tags: tags.collect(), ..everything() }, numbers).await?;
    }
    Ok(())
}

async fn text(pod: &Pod, text: &str, numbers: &[u32]) -> Seen {
    finds(pod, &ListQuery { text: Some(text.to_owned()), ..everything() }, numbers).await
}

async fn text_is_found_in_name_and_region_and_at_the_start_of_the_id(bench: &Bench) -> Seen {
    let pod = named(bench, &[("frankfurt", "eu", &[]), ("paris", "frank", &[])]).await?;
    let mut third = new_satellite(0xfeed_beef)?;
    third.satellite.name = "quito".parse()?;
    pod.create(third).await?;
    text(&pod, "rank", &[1, 2]).await?;
    text(&pod, "furt", &[1]).await?;
    text(&pod, "feedbeef-00", &[0xfeed_beef]).await?;
    text(&pod, "eedbeef", &[]).await?;
    text(&pod, "", &[1, 2, 0xfeed_beef]).await?;
    text(&pod, "nowhere", &[]).await
}

async fn the_case_of_ascii_letters_does_not_matter_to_text(bench: &Bench) -> Seen {
    let pod = named(bench, &[("Frankfurt É", "EU", &[])]).await?;
    let mut second = new_satellite(0xfeed_beef)?;
    second.satellite.name = "quito".parse()?;
    pod.create(second).await?;
    text(&pod, "fRANK", &[1]).await?;
    text(&pod, "FEEDbeef", &[0xfeed_beef]).await?;
    text(&pod, "É", &[1]).await?;
    text(&pod, "é", &[]).await
}

async fn no_character_of_text_is_a_wildcard(bench: &Bench) -> Seen {
    let pod =
        named(bench, &[("100% a_b", "r", &[]), ("100x aXb", "r", &[]), ("c\\d*", "[r]", &[])])
            .await?;
    text(&pod, "0%", &[1]).await?;
    text(&pod, "a_b", &[1]).await?;
    text(&pod, "%", &[1]).await?;
    text(&pod, "\\", &[3]).await?;
    text(&pod, "*", &[3]).await?;
    text(&pod, "[r]", &[3]).await?;
    text(&pod, "'", &[]).await
}

async fn filters_narrow_each_other_and_pages_count_what_is_left(bench: &Bench) -> Seen {
    let prod = &[("env", "prod")][..];
    let pod = named(
        bench,
        &[
            ("alpha 1", "eu", prod),
            ("alpha 2", "us", prod),
            ("alpha 3", "eu", &[]),
            ("beta 4", "eu", prod),
            ("alpha 5", "eu", prod),
            ("alpha 6", "eu", prod),
        ],
    )
    .await?;
    let mut query = ListQuery {
        region: Some("eu".to_owned()),
        tags: vec![("env".to_owned(), "prod".to_owned())],
        text: Some("alpha".to_owned()),
        limit: 2,
        ..ListQuery::default()
    };
    finds(&pod, &query, &[1, 5]).await?;
    query.after = Some("alpha 5".parse()?);
    finds(&pod, &query, &[6]).await
}
