namespace Fusion.Tests;

/// <summary>A call that must be refused where the user wrote it: eagerly, while recording and while a function is traced.</summary>
/// <param name="What">Names the mistake.</param>
/// <param name="Exception">The type of the exception.</param>
/// <param name="Call">The call.</param>
/// <param name="Says">What the message contains, the operator's name above all.</param>
internal sealed record Rejection(string What, Type Exception, Func<NDArray> Call, params string[] Says)
{
    /// <summary>The call throws a <typeparamref name="TException"/> whose message contains all of <paramref name="says"/>.</summary>
    public static Rejection Of<TException>(string what, Func<NDArray> call, params string[] says) where TException : Exception =>
        new(what, typeof(TException), call, says);
}
