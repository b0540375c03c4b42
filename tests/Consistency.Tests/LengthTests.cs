namespace Fusion.Tests;

/// <summary>Element-wise operators on every length around the register widths: an element's bits do not depend on how many others there are.</summary>
[Collection(nameof(ProcessState))]
public class LengthTests
{
    private const int Longest = 130;

    public static TheoryData<string> Elementwise => SpecialValueTests.Elementwise;

    [Theory]
    [MemberData(nameof(Elementwise))]
    public void EveryLengthGivesTheBitsOfTheLongest(string title)
    {
        OpCase test = OpCases.Find(title);
        ArrayFunction eager = x => [test.Call(x)];
        NDArray[] inputs = CaseInputs.Draw(test, [.. Enumerable.Repeat<Shape>(Longest, test.InputCount)], DType.Float32);
        byte[] longest = eager(inputs)[0].Bytes.ToArray();
        int size = longest.Length / Longest;
        foreach (ExecutionMode mode in ExecutionMode.All)
        {
            ArrayFunction function = mode.Prepare(eager);
            bool traced = !mode.Name.StartsWith("eager", StringComparison.Ordinal);
            for (int length = 0; length <= Longest; length += traced && length % 16 is not (0 or 15) ? 7 : 1)
            {
                NDArray[] part = [.. inputs.Select(x => x.Slice(0, 0, length).Copy())];
                byte[] bytes = mode.Run(() => function(part)[0]).Bytes.ToArray();
                Assert.True(longest.AsSpan(0, length * size).SequenceEqual(bytes), $"{test}, {mode}: {length} elements have other bits than {Longest}.");
            }
        }
    }
}
