using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The memory plan: what is alive at once never overlaps, results never lie in the arena, and reuse pays.</summary>
public sealed class PlacementTests
{
    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("chain", Check.List(static x => x.MatMul(x).Softmax().MatMul(x).Softmax().MatMul(x).Tanh().MatMul(x))),
        ("diamond", Check.List(static x =>
        {
            NDArray a = x.MatMul(x);
            return (a.Softmax().MatMul(a) + a.LogSoftmax().MatMul(x)).MatMul(a);
        })),
        ("views", Check.List(static x => (x * 2).Transpose().MatMul((x + 1)[.., 1..]).Reshape(-1).Softmax())),
        ("several results", static x =>
        {
            NDArray a = x[0].MatMul(x[0]);
            NDArray b = a.Softmax();
            return [b.Sum(0), a, b.Transpose(), a[1..], (a * b).MatMul(b)];
        }),
        ("empty", Check.List(static x => x[2..2].MatMul(x).Softmax().Sum(0))),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void LivingValuesNeverOverlap(string name)
    {
        Plan plan = Build(name);
        HashSet<GraphNode> leaves = [.. plan.Function.Arguments];
        Dictionary<GraphNode, Place> places = plan.Placement.Places.ToDictionary(static p => p.Node);
        Dictionary<GraphNode, (int First, int Last)> lives = [];
        for (int i = 0; i < plan.Steps.Count; i++)
        {
            foreach (OpNode output in plan.Steps[i].Outputs) lives.Add(output, (i, i));
            foreach (GraphNode input in plan.Steps[i].Inputs)
                if (lives.TryGetValue(Placement.Root(input, leaves), out (int First, int) life)) lives[Placement.Root(input, leaves)] = (life.First, i);
        }

        (GraphNode Node, Place Place)[] arena = [.. lives.Keys.Select(n => (n, places[n])).Where(static p => p.Item2.Kind == Residence.Arena)];
        foreach ((GraphNode a, Place placeA) in arena)
        {
            Assert.Equal(0, placeA.Index % 64);
            Assert.True(placeA.Index + Size(a) <= plan.Placement.ArenaBytes);
            foreach ((GraphNode b, Place placeB) in arena)
            {
                if (ReferenceEquals(a, b) || lives[a].Last < lives[b].First || lives[b].Last < lives[a].First) continue;
                if (placeA.Index + Size(a) > placeB.Index && placeB.Index + Size(b) > placeA.Index) Assert.Fail($"{a} and {b} overlap");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ResultsNeverLieInTheArena(string name)
    {
        Plan plan = Build(name);
        HashSet<GraphNode> leaves = [.. plan.Function.Arguments];
        Dictionary<GraphNode, Place> places = plan.Placement.Places.ToDictionary(static p => p.Node);
        Assert.All(plan.Function.Outputs, o => Assert.NotEqual(Residence.Arena, places[Placement.Root(o, leaves)].Kind));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ThePlanComputesTheSame(string name)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        NDArray x = TestArrays.Uniform((12, 12));
        Plan plan = Build(name);
        for (int i = 0; i < 3; i++) Check.Same(f([x]), plan.Run([x]));
        Check.Same(f([x]), Plan.Build(plan.Function, fuse: false).Run([x]));
    }

    [Fact]
    public void DeadValuesGiveTheirPlaceBack()
    {
        Placement placement = Build("chain").Placement;
        Assert.True(placement.ArenaBytes <= placement.UnplannedBytes * 0.6, $"{placement.ArenaBytes} of {placement.UnplannedBytes}");
    }

    [Fact]
    public void GapsAreReusedMergedAndExtended()
    {
        GapList list = new();
        Assert.Equal(0, list.Take(128));
        Assert.Equal(128, list.Take(64));
        Assert.Equal(192, list.Take(64));
        list.Give(0, 128);
        Assert.Equal(0, list.Take(64));
        list.Give(128, 64);
        Assert.Equal(64, list.Take(128));
        list.Give(192, 64);
        Assert.Equal(192, list.Take(256));
        Assert.Equal(448, list.Peak);
        list.Give(64, 128);
        list.Give(0, 64);
        list.Give(192, 256);
        Assert.Equal(0, list.Take(448));
        Assert.Equal(448, list.Peak);
        Assert.Equal(448, list.Take(0));
    }

    [Fact]
    public void RandomTakesAndGivesNeverOverlap()
    {
        Random random = new(4);
        GapList list = new();
        List<(long Start, long Size)> alive = [];
        for (int i = 0; i < 3000; i++)
        {
            if (alive.Count > 0 && random.Next(2) == 0)
            {
                int at = random.Next(alive.Count);
                list.Give(alive[at].Start, alive[at].Size);
                alive.RemoveAt(at);
                continue;
            }

            long size = random.Next(1, 9) * 64;
            long start = list.Take(size);
            Assert.All(alive, a => Assert.True(start + size <= a.Start || a.Start + a.Size <= start));
            Assert.True(start + size <= list.Peak);
            alive.Add((start, size));
        }
    }

    private static Plan Build(string name) => Plan.Build(Graphs.Of(s_functions.Single(f => f.Name == name).F, TestArrays.Uniform((12, 12))), KernelCompiler.IsAvailable);

    private static long Size(GraphNode node) => node.Shape.Size * node.DType.Size;
}
