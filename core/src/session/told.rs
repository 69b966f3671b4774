//! What a satellite is told of packages, in the states of its socket.

use super::table::{START, authenticate, configured, settings, welcome};
use super::*;
use crate::packages::LockfileHash;
use crate::ports::{Authentication, Order};

#[test]
fn packages_ordered_during_authentication_are_newer_than_the_answers() {
    let lockfile = LockfileHash::of(b"new");
    let told = |orders: Vec<Order>| {
        let mut session = Session::new(&settings(), START);
        session.step(&settings(), START, Input::Message(authenticate()));
        for order in orders {
            session.step(&settings(), START, Input::Order(order));
        }
        let answer = Input::Answered(Authentication::Accepted(welcome()));
        let Effect::Welcome(said) = session.step(&settings(), START, answer) else {
            panic!("refused")
        };
        said.configured.and_then(|told| told.packages)
    };
    assert_eq!(told(vec![]), Some(None));
    assert_eq!(told(vec![Order::RefreshPackages(lockfile)]), Some(Some(lockfile)));
    let cleared = vec![Order::RefreshPackages(lockfile), Order::Configure(configured(2))];
    assert_eq!(told(cleared), Some(None));
}
