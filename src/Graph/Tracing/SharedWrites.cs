namespace Fusion;

/// <summary>Inputs that are one array twice, or one that the function captures, and of which it writes one: a trace does not see that the other changes, too.</summary>
internal static class SharedWrites
{
    /// <param name="inputs">Of a call.</param>
    /// <param name="writtenArrays">Arrays from outside that the function writes.</param>
    /// <param name="writtenInputs">Places of the inputs that it writes.</param>
    /// <param name="captured">Arrays from outside that it reads.</param>
    public static bool Exist(ReadOnlySpan<NDArray> inputs, NDArray[] writtenArrays, int[] writtenInputs, CapturedNode[] captured)
    {
        foreach (NDArray input in inputs)
            foreach (NDArray array in writtenArrays)
                if (ReferenceEquals(input, array)) return true;

        foreach (int argument in writtenInputs)
        {
            NDArray target = inputs[argument];
            for (int i = 0; i < inputs.Length; i++)
                if (i != argument && ReferenceEquals(inputs[i], target)) return true;
            foreach (CapturedNode node in captured)
                if (ReferenceEquals(node.Array, target)) return true;
        }

        return false;
    }
}
