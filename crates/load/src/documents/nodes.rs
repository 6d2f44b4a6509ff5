//! The same load on one node and on two, which share a Postgres and a Redis: what it costs all nodes together.

use anyhow::Result;
use testkit::daemon::{Postgres, Redis};

use super::fan::round;
use crate::contestant::{Footing, Ground, Node};
use crate::figure::{Figure, Target, median};
use crate::workspace::Workspace;

const ROUNDS: usize = 5;

pub(crate) async fn nodes(ground: &Ground) -> Result<Vec<Figure>> {
    let (postgres, redis) = tokio::task::spawn_blocking(|| anyhow::Ok((Postgres::start()?, Redis::start()?))).await??;
    let one = Team::start(ground, &postgres, None, 1).await?;
    let two = Team::start(ground, &postgres, Some(&redis), 2).await?;
    let (mut alone, mut shared) = (Vec::new(), Vec::new());
    for number in 0..=ROUNDS {
        for (team, costs) in [(&one, &mut alone), (&two, &mut shared)] {
            let cost = team.round(ground, number).await?;
            // The first one is for warming up.
            if number > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(vec![Figure {
        name: "two nodes with Redis to one, CPU per update, us",
        ours: median(&shared),
        other: median(&alone),
        target: Target::Ratio(2.0),
        from: format!("median of {ROUNDS} rounds; without Postgres and Redis themselves"),
    }])
}

/// Nodes on a database of their own.
struct Team {
    nodes: Vec<Node>,
    workspace: Workspace,
}

impl Team {
    async fn start(ground: &Ground, postgres: &Postgres, redis: Option<&Redis>, count: usize) -> Result<Self> {
        let footing = Footing {
            database_url: Some(postgres.database()?),
            redis_url: redis.map(Redis::url),
        };
        let mut nodes = Vec::new();
        let first = Node::start(ground, &footing).await?;
        let workspace = Workspace::make(first.address()).await?;
        nodes.push(first);
        while nodes.len() < count {
            nodes.push(Node::start(ground, &footing).await?);
        }
        Ok(Self { nodes, workspace })
    }

    async fn round(&self, ground: &Ground, number: usize) -> Result<f64> {
        let places: Vec<_> = self.nodes.iter().map(|it| it.place(&self.workspace)).collect();
        let places: Vec<_> = places.iter().collect();
        let servers = self.nodes.iter().map(Node::process).collect::<Result<Vec<_>>>()?;
        let round = round(&ground.scripts, &places, &servers, &format!("round-{number}")).await?;
        Ok(round.cpu_us)
    }
}
