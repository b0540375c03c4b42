namespace Fusion;

/// <summary>Inputs that are one variable, or one place of the tape, twice: a trace tells its inputs and captured arrays apart.</summary>
internal static class SharedMarks
{
    /// <summary>Two inputs, or an input and an array from outside, share their history.</summary>
    public static bool Exist(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outside)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Source is null) continue;
            for (int j = 0; j < i; j++)
                if (AreOne(inputs[i], inputs[j])) return true;
            foreach (NDArray array in outside)
                if (AreOne(inputs[i], array)) return true;
        }

        return false;
    }

    private static bool AreOne(NDArray x, NDArray y) => ReferenceEquals(x.Source, y.Source) && x.SourceIndex == y.SourceIndex;
}
