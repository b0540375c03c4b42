namespace Fusion.Tests;

/// <summary>Calls that must be refused, where the user wrote them, with a message that tells what to do; and nothing is left changed.</summary>
public class RejectionTests
{
    public static TheoryData<string, string> Rejections
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (OpCase test in OpCases.All)
                foreach (Rejection rejection in test.Rejects) rows.Add(test.Title, rejection.What);
            return rows;
        }
    }

    /// <summary>Those whose inputs are arguments; Copy and Cast are methods of the input.</summary>
    public static TheoryData<string> CasesWithInputs =>
        [.. OpCases.All.Where(static c => c.InputCount > 0 && c.Row != OpTable.Copy && c.Row != OpTable.Cast).Select(static c => c.Title)];

    [Theory]
    [MemberData(nameof(Rejections))]
    public void TheCallIsRefusedEagerly(string title, string what) => Refuses(Find(title, what), static call => call());

    [Theory]
    [MemberData(nameof(Rejections))]
    public void TheCallIsRefusedWhileRecording(string title, string what)
    {
        Refuses(Find(title, what), static call =>
        {
            using RecordScope scope = Autograd.Record();
            return call();
        });
        Assert.False(Autograd.IsRecording);
        Assert.False(Autograd.IsTraining);
    }

    [Theory]
    [MemberData(nameof(Rejections))]
    public void TheMessageDoesNotDependOnTheCulture(string title, string what)
    {
        (string? usual, string? odd) = OddCulture.Messages(() => Find(title, what).Call());
        Assert.Equal(usual, odd);
    }

    /// <summary>Where the shapes tell, while tracing; where values tell, at the call.</summary>
    [Theory]
    [MemberData(nameof(Rejections))]
    public void TheCallIsRefusedInACompiledFunction(string title, string what)
    {
        Refuses(Find(title, what), static call => TracedGraphs.Compile(_ => [call()])([])[0]);
        Assert.Null(ExecutionState.Current.Tracer);
    }

    [Theory]
    [MemberData(nameof(CasesWithInputs))]
    public void NullIsRefused(string title)
    {
        OpCase test = OpCases.Find(title);
        for (int i = 0; i < test.InputCount; i++)
        {
            if (test.Optional.Contains(i)) continue;
            NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[0], test.DTypes[0]);
            inputs[i] = null!;
            Assert.Throws<ArgumentNullException>(() => test.Call(inputs));
        }
    }

    [Theory]
    [MemberData(nameof(CasesWithInputs))]
    public void DisposedArraysAreRefused(string title)
    {
        OpCase test = OpCases.Find(title);
        for (int i = 0; i < test.InputCount; i++)
        {
            NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[0], test.DTypes[0]);
            inputs[i].Dispose();
            Assert.Throws<ObjectDisposedException>(() => test.Call(inputs));
        }
    }

    private static Rejection Find(string title, string what) => OpCases.Find(title).Rejects.Single(r => r.What == what);

    private static void Refuses(Rejection rejection, Func<Func<NDArray>, NDArray> context)
    {
        Exception e = Assert.Throws(rejection.Exception, () => context(rejection.Call));
        Assert.All(rejection.Says, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
    }
}
